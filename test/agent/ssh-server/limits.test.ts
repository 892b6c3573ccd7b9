import { expect, test } from "bun:test";
import { Counter, sourceOf } from "../../../src/agent/ssh-server/limits.ts";
import type { StreamOrigin } from "../../../src/agent/world.ts";
import { anId } from "../../support/policy.ts";

const from = (sourceAddress: string, sourcePeerId: string | null = null): StreamOrigin => ({
  ...{ path: "direct", sourceAddress, sourcePort: 1, localAddress: "", localPort: 1, sourcePeerId },
});

test.each([
  ["the device of the hello", from("192.0.2.1", anId("laptop")), anId("laptop")],
  ["an IPv4 address", from("192.0.2.1"), "192.0.2.1"],
  ["the same, mapped", from("::ffff:192.0.2.1"), "192.0.2.1"],
  ["the /64 of an IPv6 address", from("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::/64"],
  ["the same, written short", from("2001:db8:1:2::9"), "2001:db8:1:2::/64"],
  ["loopback", from("::1"), "0:0:0:0::/64"],
])("sourceOf counts by %s", (_name, origin, want) => {
  expect(sourceOf(origin)).toBe(want);
});

test("Counter holds each key and the whole to their bounds, and gives a place back once", () => {
  const counter = new Counter(() => ({ perKeyMax: 2, totalMax: 3 }));
  const first = counter.take("a");
  expect(counter.take("a")).not.toBeNull();
  expect(counter.take("a")).toBeNull();
  expect(counter.take("b")).not.toBeNull();
  expect(counter.take("c")).toBeNull();
  first?.();
  first?.();
  expect(counter.take("c")).not.toBeNull();
  expect(counter.take("a")).toBeNull();
});
