import { expect, test } from "bun:test";
import { boundsOf, sourceKey, sourceNetworks } from "../../src/base/source-key.ts";

test.each([
  ["192.0.2.1", "192.0.2.1"],
  ["::ffff:192.0.2.1", "192.0.2.1"],
  ["::FFFF:192.0.2.1", "192.0.2.1"],
  ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
  ["2001:db8:1:2::9", "2001:db8:1:2::/64"],
  ["2001:db8::1", "2001:db8:0:0::/64"],
  ["2001:0DB8:0000::7", "2001:db8:0:0::/64"],
  ["fe80::1%eth0", "fe80:0:0:0::/64"],
  ["::1", "0:0:0:0::/64"],
  ["::ffff:c000:201", "192.0.2.1"],
  ["00000000000000000000", "00000000000000000000"],
])("%s is the source %s", (address, want) => {
  expect(sourceKey(address)).toBe(want);
});

test("an IPv6 address counts for the networks around it, the wider ones with more room", () => {
  const networks = sourceNetworks("2001:db8:1:2f3::9");
  expect(networks).toEqual(["2001:db8:1::/48", "2001:db8:1:200::/56", "2001:db8:1:2f3::/64"]);
  expect(boundsOf(networks, 10)).toEqual([40, 20, 10]);
  expect(boundsOf(sourceNetworks("192.0.2.1"), 10)).toEqual([10]);
});
