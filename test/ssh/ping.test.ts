import { expect, test } from "bun:test";
import { pingText } from "../../src/ssh/ping.ts";

test("what machine and management say cannot drive the terminal of who pings", () => {
  const text = pingText({
    peer: { peerId: "p".repeat(20), name: "web1\u001b[2J.qf.internal", address: "100.64.0.1" },
    path: "direct",
    endpoint: "192.0.2.1:22022",
    why: "it answered first",
    connectMs: 1,
    sent: 1,
    received: 1,
    roundTripMs: { min: 1, median: 1, max: 1 },
    clockOffsetMs: 0,
    agent: { connected: true, version: "1\u001b]52;c;cm0K\u0007\nssh         on", mapAgeSeconds: 1 },
    ssh: "off",
    error: null,
  });
  expect(text).toMatch(/^[\n\x20-\x7e]*$/);
  expect(text.split("\n").filter((line) => line.startsWith("ssh "))).toHaveLength(1);
});
