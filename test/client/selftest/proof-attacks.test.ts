import { expect, test } from "bun:test";
import { runAttacks } from "../../../src/client/selftest/attack.ts";
import { proofAttacks } from "../../../src/client/selftest/proof-attacks.ts";
import { aWeakManagement } from "../../support/weak-server.ts";

const config = { accountId: "d34hgk3f9s8d7f6g5h4j", origin: "https://qf.example.com" };

test("every attack is said to break a server that believes everyone", async () => {
  const server = aWeakManagement(config);
  const { results } = await runAttacks(proofAttacks(server.url, config, () => 1_795_000_000));
  server.close();
  expect(results.filter(({ outcome }) => outcome !== "broke")).toEqual([]);
});
