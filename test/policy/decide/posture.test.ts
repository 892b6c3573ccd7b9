import { expect, test } from "bun:test";
import { isAtLeast, isInRange, passesPosture } from "../../../src/policy/decide/posture.ts";
import type { PostureChecks } from "../../../src/wire/posture.ts";

const facts = {
  os: "Debian GNU/Linux 12 (bookworm)",
  kernelVersion: "6.1.0-13-amd64",
  version: "0.4.2",
  connectionIp: "192.0.2.7",
};
const range = (ranges: string[], action: "allow" | "deny"): PostureChecks => ({
  peer_network_range_check: { ranges, action },
});

const rows: { name: string; checks: PostureChecks; change?: Partial<typeof facts>; want: boolean }[] = [
  { name: "passes without checks", checks: {}, want: true },
  { name: "passes the version it has", checks: { nb_version_check: { min_version: "0.4.2" } }, want: true },
  { name: "fails a later version", checks: { nb_version_check: { min_version: "0.4.3" } }, want: false },
  {
    name: "fails a later version that is written with v",
    checks: { nb_version_check: { min_version: "v0.4.3" } },
    want: false,
  },
  {
    name: "passes the version it has, with v",
    checks: { nb_version_check: { min_version: "v0.4.2" } },
    want: true,
  },
  {
    name: "fails where only systems that it is not are named",
    checks: { os_version_check: { android: { min_version: "0" }, ios: { min_version: "0" } } },
    want: false,
  },
  {
    name: "fails a version that is none",
    checks: { nb_version_check: { min_version: "0.0.0" } },
    change: { version: "unknown" },
    want: false,
  },
  {
    name: "passes a kernel by number, not by letter",
    checks: { os_version_check: { linux: { min_kernel_version: "5.15" } } },
    want: true,
  },
  {
    name: "fails a system that is not named",
    checks: { os_version_check: { windows: { min_kernel_version: "10.0" } } },
    want: false,
  },
  {
    name: "fails a Windows that is not named",
    checks: { os_version_check: { linux: { min_kernel_version: "5.15" } } },
    change: { os: "Microsoft Windows 11" },
    want: false,
  },
  {
    name: "fails a mac that is not named",
    checks: { os_version_check: { linux: { min_kernel_version: "5.15" } } },
    change: { os: "macOS 15.1" },
    want: false,
  },
  {
    name: "fails an older kernel of a named Windows",
    checks: { os_version_check: { windows: { min_kernel_version: "10.0.22000" } } },
    change: { os: "Microsoft Windows 10", kernelVersion: "10.0.19045" },
    want: false,
  },
  {
    name: "passes a named mac",
    checks: { os_version_check: { darwin: { min_version: "14.2" } } },
    change: { os: "macOS 15.1" },
    want: true,
  },
  {
    name: "passes inside an allowed range",
    checks: range(["10.0.0.0/8", "192.0.2.0/24"], "allow"),
    want: true,
  },
  { name: "fails outside an allowed range", checks: range(["10.0.0.0/8"], "allow"), want: false },
  { name: "fails inside a denied range", checks: range(["192.0.2.0/24"], "deny"), want: false },
  { name: "passes outside a denied range", checks: range(["10.0.0.0/8"], "deny"), want: true },
  {
    name: "fails an unknown address even when it is outside a denied range",
    checks: range(["10.0.0.0/8"], "deny"),
    change: { connectionIp: "" },
    want: false,
  },
  {
    name: "asks for all of them",
    checks: { ...range(["192.0.2.0/24"], "allow"), nb_version_check: { min_version: "9" } },
    want: false,
  },
];

test.each(rows)("passesPosture $name", ({ checks, change, want }) => {
  expect(passesPosture(checks, { ...facts, ...change })).toBe(want);
});

test.each([
  ["1.10.0", "1.9", true],
  ["1.9", "1.10", false],
  ["1.2", "1.2.0", true],
  ["1.2", "1.2.1", false],
  ["", "0", false],
])("isAtLeast(%p, %p) is %p", (actual, wanted, want) => {
  expect(isAtLeast(actual, wanted)).toBe(want);
});

test.each([
  ["10.1.2.3", "10.0.0.0/8", true],
  ["11.1.2.3", "10.0.0.0/8", false],
  ["10.1.2.3", "0.0.0.0/0", true],
  ["::ffff:10.1.2.3", "10.0.0.0/8", true],
  ["2001:db8::1", "2001:db8::/32", true],
  ["2001:db9::1", "2001:db8::/32", false],
  ["2001:db8::1", "10.0.0.0/8", false],
  ["::a00:1", "10.0.0.0/8", false],
  ["10.0.0.1", "::/96", false],
  ["10.0.0.1", "::/0", false],
  ["999.1.2.3", "0.0.0.0/0", false],
  ["1:2:3", "::/0", false],
])("isInRange(%p, %p) is %p", (address, cidr, want) => {
  expect(isInRange(address, cidr)).toBe(want);
});
