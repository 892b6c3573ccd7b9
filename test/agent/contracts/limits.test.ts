import { expect, test } from "bun:test";
import {
  Counter,
  DEFAULT_LIMITS,
  type Limits,
  limitsOf,
  sourceOf,
} from "../../../src/agent/contracts/limits.ts";
import type { StreamOrigin } from "../../../src/agent/contracts/stream-origin.ts";
import type { SshLimitFlags } from "../../../src/wire/ssh-limits.ts";
import { anId } from "../../support/policy.ts";

const from = (sourceAddress: string, sourcePeerId: string | null = null): StreamOrigin => ({
  ...{ path: "direct", sourceAddress, sourcePort: 1, localAddress: "", localPort: 1, sourcePeerId },
});

const carried = (localUser: string | null): StreamOrigin => ({
  ...from("192.0.2.1"),
  via: { by: localUser === null ? "socks" : "intercept", localUser, peerId: anId("web2") },
});

test.each([
  ["the device of the hello", from("192.0.2.1", anId("laptop")), anId("laptop")],
  ["an IPv4 address", from("192.0.2.1"), "192.0.2.1"],
  ["the same, mapped", from("::ffff:192.0.2.1"), "192.0.2.1"],
  ["the /64 of an IPv6 address", from("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::/64"],
  ["the same, written short", from("2001:db8:1:2::9"), "2001:db8:1:2::/64"],
  ["loopback", from("::1"), "0:0:0:0::/64"],
  ["the account whose program a device carries", carried("deploy"), `${anId("web2")}/deploy`],
  ["another account of the same device", carried("build"), `${anId("web2")}/build`],
  ["the device that carries its own person's", carried(null), `${anId("web2")}/`],
])("sourceOf counts by %s", (_name, origin, want) => {
  expect(sourceOf(origin)).toBe(want);
});

test("limits are the defaults but for the flags that are given", () => {
  expect(limitsOf({})).toEqual({ ...DEFAULT_LIMITS });
  expect(limitsOf({ sshMaxSessions: null, sshLoginGraceTimeSeconds: null })).toEqual({ ...DEFAULT_LIMITS });
});

test.each<[flag: SshLimitFlags, want: Partial<Limits>]>([
  [{ sshLoginGraceTimeSeconds: 120 }, { graceMs: 120_000 }],
  [{ sshMaxAuthTries: 2 }, { authTriesMax: 2 }],
  [{ sshMaxStartups: 10 }, { startsMax: 10 }],
  [{ sshPerSourceMaxStartups: 3 }, { startsPerSourceMax: 3 }],
  [{ sshMaxConnectionsPerUser: 5 }, { connectionsPerUserMax: 5 }],
  [{ sshMaxSessions: 0 }, { sessionsMax: 0 }],
  [{ sshMaxChannels: 16 }, { channelsMax: 16, forwardStreamsMax: 14 }],
  [{ sshMaxChannels: 1 }, { channelsMax: 1, forwardStreamsMax: 1 }],
  [{ sshMaxPacketSize: 35_000 }, { packetBytesMax: 35_000 }],
  [{ sshClientAliveIntervalSeconds: 15 }, { aliveIntervalMs: 15_000 }],
  [{ sshClientAliveIntervalSeconds: 0 }, { aliveIntervalMs: null }],
  [{ sshClientAliveCountMax: 3 }, { aliveCountMax: 3 }],
  [{ sshIdleTimeoutSeconds: 60 }, { idleMs: 60_000 }],
  [{ sshIdleTimeoutSeconds: 0 }, { idleMs: null }],
  [{ sshMaxSessionTimeSeconds: 3_600 }, { connectionMs: 3_600_000 }],
])("%p bounds what it says and nothing else", (flag, want) => {
  expect(limitsOf(flag)).toEqual({ ...DEFAULT_LIMITS, ...want });
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
