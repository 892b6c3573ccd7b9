import { expect, test } from "bun:test";
import { isDnsName, isOverlayAddress, parseDialledName } from "../../src/client/peer-name.ts";
import { DnsName, OverlayAddress } from "../../src/wire/units.ts";
import { HOSTILE_NAMES } from "../support/hostile-names.ts";

const CORPUS = [
  ...[
    "a",
    "a.b",
    "a-b.c",
    "A.b",
    "-a",
    "a-",
    "a..b",
    ".a",
    "a.",
    "1.2.3.4",
    "x".repeat(63),
    "x".repeat(64),
    "",
  ],
  ...[
    "100.64.0.0",
    "100.100.1.9",
    "100.99.255.255",
    "100.64.0.256",
    "100.064.0.1",
    "10.64.0.1",
    "100.64.0.1 ",
  ],
  ...["100.127.0.1", "100.128.0.1", "100.64.1", "100.64.0.1.1", ...HOSTILE_NAMES],
];

test.each(CORPUS)("names are read as the schemas read them: %p", (text) => {
  expect(isDnsName(text)).toBe(DnsName.safeParse(text).success);
  expect(isOverlayAddress(text)).toBe(OverlayAddress.safeParse(text).success);
});

test("a dialled name is a name or an overlay address in lower case, and no other address", () => {
  expect(parseDialledName("Web1.QF.internal")).toBe("web1.qf.internal");
  expect(parseDialledName("100.64.0.1")).toBe("100.64.0.1");
  for (const text of ["10.0.0.1", "127.0.0.1", "100.64.0", "::1", "1", "", ...HOSTILE_NAMES]) {
    expect(parseDialledName(text)).toBeUndefined();
  }
});
