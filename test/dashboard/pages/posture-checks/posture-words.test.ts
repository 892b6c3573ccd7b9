import { expect, test } from "bun:test";
import {
  asksAnything,
  checksOf,
  draftOf,
  type PostureCheck,
  postureSentence,
  writeOf,
} from "../../../../src/dashboard/pages/posture-checks/posture-words.ts";
import { PostureCheckWrite } from "../../../../src/wire/posture.ts";

type Checks = PostureCheck["checks"];
const check = (checks: Checks): PostureCheck => ({ id: "c", name: "Patched", description: "", checks });

const ALL: Checks = {
  nb_version_check: { min_version: "1.4.0" },
  os_version_check: {
    ios: { min_version: "17" },
    linux: { min_kernel_version: "6.1" },
    darwin: { min_version: "14.5" },
  },
  peer_network_range_check: { ranges: ["192.0.2.0/24", "2001:db8::/32"], action: "deny" },
};

test.each<[checks: Checks, sentence: string]>([
  [{}, "Asks a device for nothing."],
  [{ nb_version_check: { min_version: "1.4.0" } }, "A device runs qf 1.4.0 or later."],
  [
    ALL,
    "A device runs qf 1.4.0 or later, and has Linux 6.1 or later, or macOS 14.5 or later, " +
      "and connects from outside 192.0.2.0/24 or 2001:db8::/32.",
  ],
])("%j means: %s", (checks, sentence) => expect(postureSentence(checks)).toBe(sentence));

test("a check that is opened and not changed is written as it was, with systems that the form does not show", () => {
  expect(checksOf(draftOf(check(ALL)), check(ALL))).toEqual(ALL);
  expect(PostureCheckWrite.safeParse(writeOf(draftOf(check(ALL)), check(ALL))).success).toBe(true);
});

test("what is emptied is not asked for any more", () => {
  const draft = { ...draftOf(check(ALL)), qf: " ", asksSystem: false, ranges: [] };
  expect(checksOf(draft, check(ALL))).toEqual({});
  expect(asksAnything(draft)).toBe(false);
  expect(
    asksAnything({ ...draft, asksSystem: true, systems: { linux: "6.1", darwin: "", windows: "" } }),
  ).toBe(true);
});
