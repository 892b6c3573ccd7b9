import { expect, test } from "bun:test";
import { chmodSync, mkdirSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { systemClock } from "../../src/base/clock.ts";
import { keepHostKeys, knownHostsLines } from "../../src/proxy/known-hosts.ts";
import type { TargetInfo } from "../../src/wire/client-api.ts";
import { HOSTILE_NAMES } from "../support/hostile-names.ts";
import { otherHostKey } from "../support/ssh-machine.ts";
import { tempFolder } from "../support/temp-folder.ts";

const KEY = otherHostKey();
const target: TargetInfo = {
  peerId: "machine0000000000000",
  name: "web1.qf.internal",
  address: "100.64.0.9",
  hostKeys: [KEY],
  direct: [],
  connected: true,
  sshServer: true,
  machineIdentity: false,
};

function aFolder() {
  const configDir = tempFolder();
  const folder = join(configDir, "openssh");
  mkdirSync(folder, { mode: 0o700 });
  const lines = (host: string) => knownHostsLines(host, { environment: {}, configDir, clock: systemClock });
  return { folder, lines };
}

test("prints what management said of a host, for the very name that ssh looks up", () => {
  const { folder, lines } = aFolder();
  keepHostKeys(folder, "100.64.0.9", target);
  expect(lines("web1.qf.internal")).toBe(`web1.qf.internal ssh-ed25519 ${KEY}\n`);
  expect(lines("100.64.0.9")).toBe(`100.64.0.9 ssh-ed25519 ${KEY}\n`);
  expect(lines("[web1.qf.internal]:22022")).toBe(`[web1.qf.internal]:22022 ssh-ed25519 ${KEY}\n`);
});

test("prints nothing for anything else", () => {
  const { folder, lines } = aFolder();
  keepHostKeys(folder, "web1.qf.internal", target);
  for (const host of ["web2.qf.internal", "web1", "[web1.qf.internal]", "*", ...HOSTILE_NAMES]) {
    expect(lines(host)).toBe("");
  }
});

test("prints nothing that is old, damaged, open to others, or no key of ours", () => {
  const { folder, lines } = aFolder();
  const path = join(folder, "web1.qf.internal_hosts");
  const keep = (hostKeys: unknown) => writeFileSync(path, JSON.stringify({ hostKeys }), { mode: 0o600 });
  keep([KEY]);
  expect(lines("web1.qf.internal")).not.toBe("");
  const longAgo = new Date(systemClock.nowMs() - 11 * 60_000);
  utimesSync(path, longAgo, longAgo);
  expect(lines("web1.qf.internal")).toBe("");
  for (const hostKeys of [[], "x", ["x y"], ["x\nevil ssh-ed25519 AAAA"], [1], ["AAAA"], null]) {
    keep(hostKeys);
    expect(lines("web1.qf.internal")).toBe("");
  }
  writeFileSync(path, "{");
  expect(lines("web1.qf.internal")).toBe("");
  keep([KEY]);
  chmodSync(path, 0o644);
  expect(lines("web1.qf.internal")).toBe("");
});

test("a name from management that is no plain name makes no file", () => {
  const { folder, lines } = aFolder();
  keepHostKeys(folder, "web1.qf.internal", { ...target, name: "../evil" });
  expect(lines("web1.qf.internal")).not.toBe("");
});
