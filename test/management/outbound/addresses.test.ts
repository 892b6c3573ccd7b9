import { describe, expect, test } from "bun:test";
import { isQfError } from "../../../src/base/errors.ts";
import { allowAddresses } from "../../../src/management/outbound/addresses.ts";

describe("addresses that are not of the public internet are refused, however they are written", () => {
  test.each([
    "127.0.0.1",
    "0.0.0.0",
    "10.0.0.1",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.1.1",
    "100.64.0.1",
    "100.127.255.255",
    "169.254.169.254",
    "100.100.100.200",
    "192.0.0.192",
    "192.0.2.1",
    "198.18.0.1",
    "203.0.113.5",
    "224.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::ffff:127.0.0.1",
    "::ffff:7f00:1",
    "0:0:0:0:0:ffff:a9fe:a9fe",
    "::127.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b::169.254.169.254",
    "2002:7f00:1::",
    "2001::1",
    "2001:db8::1",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%lo",
    "fec0::1",
    "ff02::1",
    "",
    "localhost",
    "0x7f.1",
  ])("%s", (address) => {
    expect(allowAddresses([]).permits(address)).toBe(false);
  });
});

test.each(["1.1.1.1", "172.32.0.1", "100.128.0.1", "192.167.255.255", "2a00:1450::1", "2606:4700::1111"])(
  "%s is public",
  (address) => {
    expect(allowAddresses([]).permits(address)).toBe(true);
  },
);

test("a range that is listed is permitted, and nothing beside it", () => {
  const { permits } = allowAddresses(["10.1.0.0/16", "fd12::/48", "192.168.7.9"]);
  expect(["10.1.2.3", "::ffff:10.1.2.3", "fd12::1", "192.168.7.9"].map(permits)).toEqual([
    true,
    true,
    true,
    true,
  ]);
  expect(["10.2.0.1", "fd13::1", "192.168.7.8", "127.0.0.1"].map(permits)).toEqual([
    false,
    false,
    false,
    false,
  ]);
});

test("where clouds hand out credentials is only permitted by its own address", () => {
  expect(allowAddresses(["169.254.0.0/16", "fd00::/8"]).permits("169.254.169.254")).toBe(false);
  expect(allowAddresses(["fd00::/8"]).permits("fd00:ec2::254")).toBe(false);
  expect(allowAddresses(["169.254.169.254/32"]).permits("169.254.169.254")).toBe(true);
});

test.each(["", "10.0.0.0/33", "10.0.0/8", "fd00::/129", "example.com", "10.0.0.0/-1", "10.0.0.0/8/8"])(
  "%j is no address range",
  (range) => {
    let code: unknown;
    try {
      allowAddresses([range]);
    } catch (error) {
      code = isQfError(error) ? error.code : error;
    }
    expect(code).toBe("ERR_USAGE");
  },
);
