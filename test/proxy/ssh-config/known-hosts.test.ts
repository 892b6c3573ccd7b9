import { expect, test } from "bun:test";
import { chmodSync, chownSync, mkdirSync, readdirSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { systemClock } from "../../../src/base/clock.ts";
import { keepHostKeys, knownHostsLines } from "../../../src/proxy/ssh-config/known-hosts.ts";
import { DOMAINS_FILE, readDomains } from "../../../src/proxy/ssh-config/match.ts";
import type { TargetInfo } from "../../../src/wire/client-api.ts";
import { HOSTILE_NAMES } from "../../support/hostile-names.ts";
import { isRoot } from "../../support/os-accounts.ts";
import { otherHostKey } from "../../support/ssh-machine.ts";
import { tempFolder } from "../../support/temp-folder.ts";

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
  const smuggled = [`${KEY}\n* ssh-ed25519 ${KEY}`, ` ${KEY}`, `${KEY} comment`, `${KEY}\0`];
  for (const hostKeys of [
    ...smuggled.map((key) => [key]),
    [],
    "x",
    ["x y"],
    ["x\nevil ssh-ed25519 AAAA"],
    [1],
    ["AAAA"],
    null,
  ]) {
    keep(hostKeys);
    expect(lines("web1.qf.internal")).toBe("");
  }
  writeFileSync(path, "{");
  expect(lines("web1.qf.internal")).toBe("");
  keep([KEY]);
  chmodSync(path, 0o644);
  expect(lines("web1.qf.internal")).toBe("");
});

test.each<[name: string, spoil: (path: string) => void]>([
  ["no file", (path) => rmSync(path)],
  [
    "a folder",
    (path) => {
      rmSync(path);
      mkdirSync(path, { mode: 0o700 });
    },
  ],
  ["a file of the future", (path) => utimesSync(path, minutesFromNow(11), minutesFromNow(11))],
  ["a file of the past", (path) => utimesSync(path, minutesFromNow(-11), minutesFromNow(-11))],
  ["a file that a group may read", (path) => chmodSync(path, 0o640)],
  ["a file that anybody may write", (path) => chmodSync(path, 0o602)],
  ["an empty file", (path) => writeFileSync(path, "")],
  ["a file of zeros", (path) => writeFileSync(path, Buffer.alloc(512))],
])("prints nothing of %s, so that ssh refuses the host", (_name, spoil) => {
  const { folder, lines } = aFolder();
  keepHostKeys(folder, "web1.qf.internal", target);
  expect(lines("web1.qf.internal")).not.toBe("");
  spoil(join(folder, "web1.qf.internal_hosts"));
  expect(lines("web1.qf.internal")).toBe("");
});

test.skipIf(!isRoot)("prints nothing of another user's file", () => {
  const { folder, lines } = aFolder();
  keepHostKeys(folder, "web1.qf.internal", target);
  chownSync(join(folder, "web1.qf.internal_hosts"), 65_534, 65_534);
  expect(lines("web1.qf.internal")).toBe("");
});

test("prints no key of a type that no machine of ours has, and no more than eight", () => {
  const { folder, lines } = aFolder();
  const other = (type: string) => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(type.length);
    return Buffer.concat([length, Buffer.from(type), Buffer.alloc(36)]).toString("base64");
  };
  const foreign = ["ssh-rsa", "ssh-dss", "ssh-ed25519-cert-v01@openssh.com", "sk-ssh-ed25519@openssh.com"];
  keepHostKeys(folder, "web1.qf.internal", { ...target, hostKeys: foreign.map(other) });
  expect(lines("web1.qf.internal")).toBe("");
  keepHostKeys(folder, "web1.qf.internal", { ...target, hostKeys: Array<string>(9).fill(KEY) });
  expect(lines("web1.qf.internal").split("\n").length - 1).toBe(8);
});

function minutesFromNow(minutes: number): Date {
  return new Date(systemClock.nowMs() + minutes * 60_000);
}

test.each(["../evil", "web1 qf", "-oProxyCommand=id", "web1\n*", "web1.qf.internal/../x", "web1.-x\ny"])(
  "a name from management that is no plain name, %p, makes no file and no domain",
  (name) => {
    const { folder, lines } = aFolder();
    keepHostKeys(folder, "web1.qf.internal", { ...target, name });
    expect(lines("web1.qf.internal")).not.toBe("");
    const made = readdirSync(folder, { recursive: true }).map(String);
    expect(made.filter((file) => file !== "web1.qf.internal_hosts" && file !== DOMAINS_FILE)).toEqual([]);
    expect(readdirSync(join(folder, "..")).sort()).toEqual(["openssh"]);
    expect(readDomains(folder)).toEqual([]);
  },
);
