import { expect, test } from "bun:test";
import { parseJson } from "../../src/base/files.ts";
import { instantText, manifestText, ReleaseManifest, ReleaseVersion } from "../../src/wire/release.ts";
import { aManifest } from "../support/release.ts";

const manifest = aManifest("1.2.3", Buffer.from("qf"));

test("a manifest reads back as it was written", () => {
  const full = { ...manifest, withdrawn: ["1.2.1", "1.2.2-rc.1"], lowestFrom: "1.0.0" };
  expect(ReleaseManifest.parse(parseJson(manifestText(full)))).toEqual(full);
  expect(ReleaseManifest.parse(parseJson(manifestText({ ...manifest, targets: {} })))).toMatchObject({
    targets: {},
  });
});

test("each field and each target has a line of its own, which install.sh reads", () => {
  const lines = manifestText(manifest).split("\n");
  expect(lines).toContain('  "version": "1.2.3",');
  expect(lines.filter((line) => line.startsWith('    "linux-x64":'))).toHaveLength(1);
});

test.each([
  ["another product", { product: "other" }],
  ["a version with a slash", { version: "1.2/3" }],
  ["an expiry that is no instant in UTC", { expiry: "2026-11-30T12:00:00+01:00" }],
  ["an expiry with fractions", { expiry: "2026-11-30T12:00:00.5Z" }],
  ["a target that is none", { targets: { "beos-x64": manifest.targets["linux-x64"] } }],
  ["a file elsewhere", { targets: { "linux-x64": { ...manifest.targets["linux-x64"], name: "../qf" } } }],
  ["a short digest", { targets: { "linux-x64": { ...manifest.targets["linux-x64"], sha256: "00" } } }],
  ["a field that is not known", { more: true }],
])("%s is refused", (_what, change) => {
  expect(ReleaseManifest.safeParse(manifest).success).toBe(true);
  expect(ReleaseManifest.safeParse({ ...manifest, ...change }).success).toBe(false);
});

test.each([
  ["1.2.3", true],
  ["0.0.0", true],
  ["10.20.3000-rc.12", true],
  ["1.2", false],
  ["v1.2.3", false],
  ["01.2.3", false],
  ["1.2.3-rc.0", false],
  ["1.2.3-beta", false],
  ["1.2.3\n", false],
  ["1.2.30000", false],
])("%p is a version: %p", (text, want) => {
  expect(ReleaseVersion.safeParse(text).success).toBe(want);
});

test("an instant is written to the second", () => {
  expect(instantText(1_795_000_000_999)).toBe("2026-11-18T11:06:40Z");
});
