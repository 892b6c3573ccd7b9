import { expect, test } from "bun:test";
import {
  type KeyDraft,
  keyWriteOf,
  limitOf,
  NEW_KEY,
  usedText,
} from "../../../../src/dashboard/pages/setup-keys/key-words.ts";

const draft = (part: Partial<KeyDraft>): KeyDraft => ({ ...NEW_KEY, name: " web ", ...part });

test.each<[part: Partial<KeyDraft>, limit: number | null]>([
  [{}, 1],
  [{ limit: "7" }, 1],
  [{ type: "reusable" }, 0],
  [{ type: "reusable", limit: "10" }, 10],
  [{ type: "reusable", limit: "ten" }, null],
  [{ type: "reusable", limit: "0" }, null],
  [{ name: " " }, null],
  [{ seconds: undefined }, null],
])("of %j the limit that is sent is %p; null: nothing is sent", (part, limit) => {
  expect(keyWriteOf(draft(part))?.usage_limit ?? null).toBe(limit);
});

test("a name is sent without white space at its ends; no end is 0", () => {
  expect(keyWriteOf(draft({ seconds: 0, groups: ["g1"] }))).toEqual({
    ...{ name: "web", type: "one-off", expires_in: 0, usage_limit: 1, auto_groups: ["g1"], ephemeral: false },
  });
});

test("limits go up to a million", () => {
  expect([limitOf("1000000"), limitOf("1000001")]).toEqual([1_000_000, null]);
});

test("uses are told with their limit where there is one", () => {
  expect(usedText({ used_times: 1_200, usage_limit: 0 })).toBe("1,200");
  expect(usedText({ used_times: 3, usage_limit: 10 })).toBe("3 of 10");
});
