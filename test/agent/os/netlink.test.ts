import { expect, test } from "bun:test";
import { attribute, nested, number, text } from "../../../src/agent/os/netlink.ts";

// Netlink is in the order of the machine outside, and nf_tables in that of the network inside.
test.each([
  ["bytes, padded to four", attribute(1, Buffer.from([6])), "05000100 06000000"],
  ["bytes that need no padding", attribute(1, Buffer.from([1, 2, 3, 4])), "08000100 01020304"],
  ["text with its zero", text(7, "nat"), "08000700 6e617400"],
  ["a number", number(2, 2), "08000200 00000002"],
  ["a negative number", number(2, -100), "08000200 ffffff9c"],
  ["attributes in an attribute", nested(4, [number(1, 3)]), "0c000480 08000100 00000003"],
  ["none in one", nested(4, []), "04000480"],
])("an attribute of %s", (_what, bytes, want) => {
  expect(bytes.toString("hex")).toBe(want.replaceAll(" ", ""));
});
