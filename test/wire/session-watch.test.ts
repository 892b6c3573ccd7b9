import { expect, test } from "bun:test";
import { WATCH_PATH } from "../../src/wire/session-watch.ts";
import { anId } from "../support/policy.ts";

test("the path names one session", () => {
  const id = anId("session");
  expect(WATCH_PATH.exec(`/api/sessions/${id}/watch`)?.[1]).toBe(id);
});

test.each(["", "../users", "A".repeat(20), `${anId("session")}/x`])("%p names none", (id) => {
  expect(WATCH_PATH.test(`/api/sessions/${id}/watch`)).toBe(false);
});
