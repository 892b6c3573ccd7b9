/** Words of recordings. */
import { expect, test } from "bun:test";
import { commandFor, cutText, fileName } from "../../../../src/dashboard/pages/sessions/recording-words.ts";

test.each([
  ["complete", null, null],
  ["running", null, null],
  ["cut", "spool_full", "the machine had no room for more"],
  ["cut", "a reason of later", "it was cut off"],
] as const)("%s, %j: %j", (status, why, text) => expect(cutText({ status, why })).toBe(text));

test.each([
  ["running", "qf session watch d34 --identity FILE"],
  ["complete", "qf session replay d34 --identity FILE"],
] as const)("of one that is %s: %s", (status, command) => {
  expect(commandFor({ id: "d34", status })).toBe(command);
});

test.each([
  [{ local_user: "deploy", machine: "web1", id: "d34" }, "deploy-web1-d34.cast"],
  [{ local_user: "a/..", machine: "wéb 1\n", id: "d34" }, "a_..-w_b_1_-d34.cast"],
])("%j is kept as %s", (recording, name) => expect(fileName(recording)).toBe(name));
