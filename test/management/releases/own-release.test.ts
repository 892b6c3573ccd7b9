import { expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { ownExecutable, readOwnRelease, sha256OfFile } from "../../../src/management/releases/own-release.ts";
import { ReleaseManifest } from "../../../src/wire/release.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { tempFolder } from "../../support/temp-folder.ts";

test("from source there is no executable to hand out", () => {
  expect(ownExecutable()).toBeNull();
});

test("the manifest of an executable without a signed one is of its very bytes, and good for a day", async () => {
  const path = join(tempFolder(), "qf");
  writeFileSync(path, "a build");
  const sha256 = createHash("sha256").update("a build").digest("hex");
  expect(await sha256OfFile(path)).toBe(sha256);
  const clock = new FakeClock();
  const own = await readOwnRelease({ path, version: "1.2.3", target: "linux-x64" }, clock);
  const manifest = ReleaseManifest.parse(JSON.parse(own.manifest));
  expect(manifest.targets).toEqual({ "linux-x64": { name: "qf-linux-x64", size: 7, sha256 } });
  expect(Date.parse(manifest.expiry) - Date.parse(manifest.date)).toBe(86_400_000);
  expect(own.signature).toBeUndefined();
});
