import { describe, expect, test } from "bun:test";
import { compareVersions, decideRelease, type ReleaseRequest } from "../../src/policy/release.ts";
import { aManifest } from "../support/release.ts";

const manifest = {
  ...aManifest("1.2.0", Buffer.from("qf")),
  expiry: "2026-12-31T00:00:00Z",
  lowestFrom: "1.0.0",
};
const granted: ReleaseRequest = {
  manifest,
  asked: "1.2.0",
  target: "linux-x64",
  running: "1.1.0",
  highest: "1.1.0",
  allowDowngrade: false,
  now: "2026-11-30T00:00:00Z",
};

function outcome(change: Partial<ReleaseRequest>): string {
  const decision = decideRelease({ ...granted, ...change });
  return decision.ok ? `take ${decision.file.name}` : decision.refusal;
}

describe("decideRelease", () => {
  // Each row differs from a granted request in one respect.
  test.each<[string, Partial<ReleaseRequest>, string]>([
    ["takes a newer release", {}, "take qf-linux-x64"],
    ["takes the build of this target", { target: "darwin-arm64" }, "take qf-darwin-arm64"],
    ["refuses an old release under a new name", { asked: "1.3.0" }, "another-version"],
    ["takes it in its last second", { now: "2026-12-30T23:59:59Z" }, "take qf-linux-x64"],
    ["refuses it from its expiry on", { now: "2026-12-31T00:00:00Z" }, "expired"],
    ["refuses what it withdraws itself", { manifest: { ...manifest, withdrawn: ["1.2.0"] } }, "withdrawn"],
    [
      "passes over others that are withdrawn",
      { manifest: { ...manifest, withdrawn: ["1.1.0"] } },
      "take qf-linux-x64",
    ],
    [
      "refuses a release without a build for this machine",
      { manifest: { ...manifest, targets: {} } },
      "no-build",
    ],
    ["refuses a version below the one that runs", { running: "1.3.0", highest: "1.3.0" }, "downgrade"],
    ["refuses one that once ran, after a way back", { highest: "1.2.0" }, "downgrade"],
    ["refuses one below what ran here once", { highest: "1.4.0" }, "downgrade"],
    ["takes those where root says so", { highest: "1.4.0", allowDowngrade: true }, "take qf-linux-x64"],
    ["takes the same version again", { running: "1.2.0", highest: "1.2.0" }, "take qf-linux-x64"],
    [
      "takes over from the lowest version that it can",
      { running: "1.0.0", highest: "1.0.0" },
      "take qf-linux-x64",
    ],
    ["refuses to take over from a lower one", { running: "0.9.9", highest: "0.9.9" }, "too-far"],
    ["refuses that whatever root says", { running: "0.9.9", allowDowngrade: true }, "too-far"],
  ])("%s", (_what, change, want) => {
    expect(outcome(change)).toBe(want);
  });
});

test.each([
  ["1.2.3", "1.2.3", 0],
  ["1.2.3", "1.2.4", -1],
  ["1.10.0", "1.9.0", 1],
  ["2.0.0", "1.9999.9999", 1],
  ["1.2.3-rc.1", "1.2.3", -1],
  ["1.2.3-rc.2", "1.2.3-rc.10", -1],
  ["1.2.3-rc.1", "1.2.2", 1],
])("%s beside %s: %d", (a, b, want) => {
  expect(Math.sign(compareVersions(a, b))).toBe(want);
  expect(Math.sign(compareVersions(b, a))).toBe(want === 0 ? 0 : -want);
});
