import { expect, test } from "bun:test";
import { recordedLines } from "../../../src/agent/ssh-server/recorded-lines.ts";

const FACTS = { hasAllInput: false, isKeptHere: false, isEncrypted: true, otherKeysSinceSeconds: null };

test.each([
  [{}, ["This session is recorded, and may be watched"]],
  [
    { hasAllInput: true },
    ["This session is recorded, with everything that is typed, passwords too, and may be watched"],
  ],
  [
    { isKeptHere: true },
    [
      "This session is recorded, and may be watched",
      "Management cannot store the recording now; it is kept on this machine until it can",
    ],
  ],
  [
    { otherKeysSinceSeconds: 1_800_000_000 },
    [
      "This session is recorded, and may be watched",
      "Since 2027-01-15, other keys open recordings than before",
    ],
  ],
  [
    { isEncrypted: false, otherKeysSinceSeconds: 1_800_000_000 },
    ["This session is recorded, and may be watched", "Since 2027-01-15, recordings are no longer encrypted"],
  ],
  [{ isEncrypted: false }, ["This session is recorded, and may be watched"]],
] as const)("the person of a recording with %p is told %p", (change, lines) => {
  expect(recordedLines({ ...FACTS, ...change })).toEqual([...lines]);
});
