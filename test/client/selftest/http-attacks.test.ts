import { expect, test } from "bun:test";
import { runAttacks } from "../../../src/client/selftest/attack.ts";
import { httpAttacks } from "../../../src/client/selftest/http-attacks.ts";
import { aWeakManagement } from "../../support/weak-server.ts";

test("every attack is said to break a server that refuses nothing", async () => {
  const server = aWeakManagement({});
  const { held, results } = await runAttacks(httpAttacks(server.url));
  server.close();
  expect(results.filter(({ outcome }) => outcome !== "broke")).toEqual([]);
  expect(held).toBe(false);
});

test("a server that is not there is no proof of anything", async () => {
  const { results } = await runAttacks(httpAttacks("http://127.0.0.1:1"));
  expect(new Set(results.map(({ outcome }) => outcome))).toEqual(new Set(["skipped"]));
});
