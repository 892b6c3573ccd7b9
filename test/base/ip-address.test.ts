import { expect, test } from "bun:test";
import { canonicalAddress, groupsOf } from "../../src/base/ip-address.ts";

test.each([
  ["192.0.2.1", "192.0.2.1"],
  ["::ffff:192.0.2.1", "192.0.2.1"],
  ["::FFFF:c000:201", "192.0.2.1"],
  ["0:0:0:0:0:ffff:c000:0201", "192.0.2.1"],
  ["2001:0DB8:0:0::1", "2001:db8::1"],
  ["fe80::1%eth0", "fe80::1"],
  ["::", "::"],
  ["192.0.2.1:80", undefined],
  ["[2001:db8::1]", undefined],
  ["192.0.2", undefined],
  ["", undefined],
])("canonicalAddress of %j is %j", (text, want) => {
  expect(canonicalAddress(text)).toBe(want);
});

test("groupsOf has eight numbers", () => {
  expect(groupsOf("2001:db8::1")).toEqual([0x2001, 0xdb8, 0, 0, 0, 0, 0, 1]);
  expect(groupsOf("::")).toEqual([0, 0, 0, 0, 0, 0, 0, 0]);
});
