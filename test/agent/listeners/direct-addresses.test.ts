import { expect, test } from "bun:test";
import { directAddresses } from "../../../src/agent/listeners/direct-addresses.ts";
import { DirectAddresses } from "../../../src/wire/network-map.ts";

test("directAddresses tells a plain address as it is, and what was advertised first", () => {
  expect(directAddresses(["127.0.0.1:22022"], ["203.0.113.7:22"])).toEqual([
    "203.0.113.7:22",
    "127.0.0.1:22022",
  ]);
});

test("directAddresses tells this machine's own addresses for a wildcard, loopback last", () => {
  const found = directAddresses(["0.0.0.0:22022"], []);
  expect(DirectAddresses.safeParse(found).success).toBe(true);
  expect(found.at(-1)).toBe("127.0.0.1:22022");
  expect(directAddresses(["[::]:22022"], []).every((text) => text.endsWith(":22022"))).toBe(true);
});

test("an address that was advertised and is listened at is told once, and no more than 32 are told", () => {
  expect(directAddresses(["10.0.0.1:22"], ["10.0.0.1:22"])).toEqual(["10.0.0.1:22"]);
  const many = Array.from({ length: 40 }, (_, i) => `10.0.0.${i}:22`);
  expect(directAddresses(["10.1.0.1:22"], many)).toEqual(many.slice(0, 32));
});

test("a wildcard of IPv4 tells no address of IPv6", () => {
  expect(directAddresses(["0.0.0.0:22"], []).filter((text) => text.startsWith("["))).toEqual([]);
});
