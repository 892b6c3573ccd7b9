import { describe, expect, test } from "bun:test";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseJson } from "../../../src/base/files.ts";
import { silentLog } from "../../../src/base/log.ts";
import { createReleases } from "../../../src/management/releases/releases.ts";
import { manifestText, ReleaseManifest } from "../../../src/wire/release.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { aManifest, aReleaseKey, standIn, writeRelease } from "../../support/release.ts";
import { tempFolder } from "../../support/temp-folder.ts";

const OWN = "0.5.0";

function folders() {
  const home = tempFolder();
  const folder = join(home, "releases");
  const path = join(home, "usr/bin/qf");
  mkdirSync(join(home, "usr/bin"), { recursive: true });
  writeFileSync(path, standIn(OWN));
  const options = { folder, packedFolder: join(home, "packed"), clock: new FakeClock(), log: silentLog };
  const executable = { path, version: OWN, target: "linux-arm64" };
  return {
    home,
    folder,
    path,
    of: (own: boolean) => createReleases({ ...options, executable: own ? executable : null }),
  };
}

describe("the release folder", () => {
  test("is read anew each time; the highest version is the latest", async () => {
    const { home, folder, of } = folders();
    const releases = of(false);
    expect(await releases.latest()).toBeUndefined();
    const key = aReleaseKey(home);
    for (const version of ["1.9.0", "1.10.0-rc.1"]) writeRelease({ folder, version, key });
    expect(await releases.latest()).toBe("1.10.0-rc.1");
    writeRelease({ folder, version: "1.10.0", key });
    mkdirSync(join(folder, "2.0.0"));
    expect(await releases.latest()).toBe("1.10.0");
    expect(await releases.manifest("2.0.0")).toBeUndefined();
    expect(await releases.signature("1.9.0")).toStartWith("-----BEGIN SSH SIGNATURE-----");
    expect(await releases.file("1.9.0", "linux-x64", "gz")).toBe(join(folder, "1.9.0/qf-linux-x64.gz"));
  });

  test("gives a build under no other name than its manifest's", async () => {
    const { home, folder, of } = folders();
    writeRelease({ folder, version: "1.0.0", key: aReleaseKey(home), change: { targets: {} } });
    expect(await of(false).file("1.0.0", "linux-x64", undefined)).toBeUndefined();
  });
});

describe("the executable itself", () => {
  test("stands in where the folder lacks it, for its own target and version alone", async () => {
    const { path, of } = folders();
    const releases = of(true);
    expect(await releases.latest()).toBe(OWN);
    expect(await releases.file(OWN, "linux-arm64", undefined)).toBe(path);
    expect(await releases.file(OWN, "linux-arm64", "zst")).toEndWith(".zst");
    expect(await releases.file(OWN, "linux-x64", undefined)).toBeUndefined();
    expect(await releases.file("0.4.0", "linux-arm64", undefined)).toBeUndefined();
    const manifest = ReleaseManifest.parse(parseJson((await releases.manifest(OWN)) ?? ""));
    expect(Object.keys(manifest.targets)).toEqual(["linux-arm64"]);
    expect(await releases.signature(OWN)).toBeUndefined();
  });

  test("is not below a newer release, and is no longer there once it was removed", async () => {
    const { home, folder, path, of } = folders();
    writeRelease({ folder, version: "1.0.0", key: aReleaseKey(home) });
    rmSync(path);
    const releases = of(true);
    expect(await releases.latest()).toBe("1.0.0");
    expect(await releases.manifest(OWN)).toBeUndefined();
  });

  test("has the signed manifest that stands beside it, if that is of this very build", async () => {
    const { home, of } = folders();
    const beside = join(home, "usr/share/qufabric");
    mkdirSync(beside, { recursive: true });
    const text = manifestText(aManifest(OWN, standIn(OWN)));
    writeFileSync(join(beside, "manifest.json"), text);
    writeFileSync(join(beside, "manifest.json.sig"), "signed");
    expect(await of(true).manifest(OWN)).toBe(text);
    expect(await of(true).signature(OWN)).toBe("signed");
    writeFileSync(join(beside, "manifest.json"), manifestText(aManifest(OWN, standIn("0.5.1"))));
    expect(await of(true).signature(OWN)).toBeUndefined();
  });
});
