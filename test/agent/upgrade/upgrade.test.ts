/** Upgrades from a real management server, of an executable that is a few lines of shell. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { findOffer, type UpgradeOptions, upgrade } from "../../../src/agent/upgrade/upgrade.ts";
import { isQfError, QfError } from "../../../src/base/errors.ts";
import { aReleaseKey, type ReleaseKey, signatureOf, standIn, writeRelease } from "../../support/release.ts";
import { startTestManagement, type TestManagement } from "../../support/running-management.ts";
import { tempFolder } from "../../support/temp-folder.ts";

const RUNNING = "1.0.0";
let management: TestManagement;
let releases: string;
let key: ReleaseKey;

beforeAll(async () => {
  const folder = tempFolder();
  key = aReleaseKey(folder);
  releases = join(folder, "releases");
  management = await startTestManagement(join(folder, "data"), { releases, executable: null });
});
afterAll(() => management.close());

/** A machine that runs 1.0.0. */
function aMachine(change: Partial<UpgradeOptions> = {}) {
  const home = tempFolder();
  const executable = join(home, "bin/qf");
  mkdirSync(join(home, "bin"));
  writeFileSync(executable, standIn(RUNNING));
  chmodSync(executable, 0o755);
  const restarted: string[] = [];
  const installed = () => /qf (\d\S*)/.exec(readFileSync(executable, "utf8"))?.[1] ?? "";
  const options: UpgradeOptions = {
    ...{ url: management.url, version: undefined, allowDowngrade: false, stateDir: join(home, "state") },
    ...{ executable, keys: [key.publicKey], running: RUNNING, target: "linux-x64", say: () => {} },
    restart: async () => void restarted.push(installed()),
    ...change,
  };
  return { options, installed, restarted, files: () => readdirSync(join(home, "bin")) };
}

function offer(
  version: string,
  change?: Parameters<typeof writeRelease>[0]["change"],
  executable?: Uint8Array,
): string {
  const more = { ...(change && { change }), ...(executable && { executable }) };
  writeRelease({ folder: releases, version, key, ...more });
  return join(releases, version);
}

const outcome = (work: Promise<unknown>): Promise<unknown> =>
  work.catch((error: unknown) => (isQfError(error) ? error.code : error));

describe("upgrade", () => {
  test("takes the newest release, starts the agent anew, and leaves nothing beside it", async () => {
    offer("1.1.0");
    offer("1.2.0");
    const machine = aMachine();
    expect(await findOffer(machine.options)).toMatchObject({ version: "1.2.0", isNewer: true });
    expect(await upgrade(machine.options)).toBe("1.2.0");
    expect(machine.restarted).toEqual(["1.2.0"]);
    expect(machine.files()).toEqual(["qf"]);
  });

  test("of the version that runs does nothing", async () => {
    offer("1.2.0");
    const machine = aMachine({ running: "1.2.0" });
    expect(await upgrade(machine.options)).toBe("1.2.0");
    expect(machine.restarted).toEqual([]);
    expect(machine.installed()).toBe(RUNNING);
  });

  test("goes back once to the very file it came from when the agent does not come up", async () => {
    offer("1.3.0");
    const tried: string[] = [];
    const machine = aMachine();
    const options = {
      ...machine.options,
      version: "1.3.0",
      restart: async () => {
        tried.push(machine.installed());
        if (tried.length === 1) throw new QfError("ERR_UNAVAILABLE", "it does not answer");
      },
    };
    expect(await outcome(upgrade(options))).toBe("ERR_UNAVAILABLE");
    expect(tried).toEqual(["1.3.0", RUNNING]);
    expect(machine.files()).toEqual(["qf"]);
    expect(readFileSync(machine.options.executable)).toEqual(Buffer.from(standIn(RUNNING)));
    // What did not come up may be tried again.
    expect(await upgrade({ ...machine.options, version: "1.3.0" })).toBe("1.3.0");
  });

  test.each<[string, (at: string, tries: number) => void, RegExp, string]>([
    ["that comes up", (_at, tries) => failAt(tries, 1), /; 1\.0\.0 is back$/, RUNNING],
    [
      "that does not come up either",
      (_at, tries) => failAt(tries, 2),
      /; 1\.0\.0 is installed again, but its agent does not come up either$/,
      RUNNING,
    ],
    [
      "whose file is gone",
      (at) => {
        for (const name of readdirSync(at)) if (name.endsWith(".previous")) rmSync(join(at, name));
        failAt(1, 1);
      },
      /; 1\.0\.0 could not be put back$/,
      "1.3.0",
    ],
  ])("says what became of an old agent %s", async (_what, fail, message, left) => {
    offer("1.3.0");
    let tries = 0;
    const machine = aMachine({ version: "1.3.0" });
    const restart = async () => {
      tries += 1;
      fail(join(machine.options.executable, ".."), tries);
    };
    await expect(upgrade({ ...machine.options, restart })).rejects.toMatchObject({
      code: "ERR_UNAVAILABLE",
      message: expect.stringMatching(message),
      hint: "it does not answer",
    });
    expect(machine.installed()).toBe(left);
  });

  test("is refused while another goes on, which is left as it is, and not once that is over", async () => {
    for (const version of ["1.1.0", "1.2.0"]) offer(version);
    const machine = aMachine();
    const other = { ...machine.options, version: "1.2.0" };
    const refused: unknown[] = [];
    const restart = async () => void refused.push(await outcome(upgrade(other)));
    expect(await upgrade({ ...machine.options, version: "1.1.0", restart })).toBe("1.1.0");
    expect([refused, machine.installed()]).toEqual([["ERR_CONFLICT"], "1.1.0"]);
    expect(await upgrade(other)).toBe("1.2.0");
  });

  test("never goes below the highest version that ran here, unless root says so", async () => {
    for (const version of ["1.1.0", "1.2.0", "1.3.0"]) offer(version);
    const machine = aMachine();
    await upgrade({ ...machine.options, version: "1.3.0" });
    const back = { ...machine.options, version: "1.2.0", running: "1.3.0" };
    expect(await outcome(upgrade(back))).toBe("ERR_FORBIDDEN");
    expect(await upgrade({ ...back, allowDowngrade: true })).toBe("1.2.0");
    const again = { ...machine.options, version: "1.3.0", running: "1.2.0" };
    expect(await outcome(upgrade(again))).toBe("ERR_FORBIDDEN");
  });
});

describe("what a dishonest server offers", () => {
  let next = 0;
  const rows: readonly (readonly [string, (at: string) => void])[] = [
    ["no signature", (at) => rmSync(join(at, "manifest.json.sig"))],
    ["an empty signature", (at) => writeFileSync(join(at, "manifest.json.sig"), "")],
    ["a signature by another key", (at) => resign(at, aReleaseKey(tempFolder()))],
    ["a signature in another namespace", (at) => resign(at, key, "git")],
    [
      "a manifest changed after it was signed",
      (at) => change(at, (text) => text.replace('"1.0.0"', '"0.9.0"')),
    ],
    ["a signed text that is no manifest", (at) => resign(at, key, undefined, "{}")],
    [
      "a manifest of another product",
      (at) => resign(at, key, undefined, manifest(at).replace('"qufabric"', '"other"')),
    ],
    ["an old release under a new name", (at) => copy(offer("1.0.1"), at)],
    ["an expired release", (at) => void offer(versionOf(at), { expiry: "2026-01-01T00:00:00Z" })],
    ["a release that withdraws itself", (at) => void offer(versionOf(at), { withdrawn: [versionOf(at)] })],
    [
      "a release that cannot take over from this one",
      (at) => void offer(versionOf(at), { lowestFrom: "1.0.1" }),
    ],
    ["a release without a build for this machine", (at) => void offer(versionOf(at), { targets: {} })],
    ["another target's file", (at) => builds(at, (bytes) => Buffer.concat([bytes, Buffer.from("#")]))],
    ["an old build under a new name", (at) => builds(at, () => Buffer.from(standIn(RUNNING)))],
    ["a build that was cut", (at) => builds(at, (bytes) => bytes, -20)],
    ["a build that is not packed", (at) => builds(at, null)],
    ["a signed build of another version", (at) => void offer(versionOf(at), undefined, standIn("1.0.1"))],
    [
      "a signed build that does not run",
      (at) => void offer(versionOf(at), undefined, Buffer.from("#!/nowhere\n")),
    ],
  ];

  test.each(rows)("%s is refused, and nothing is changed", async (_what, spoil) => {
    next += 1;
    const version = `2.0.${next}`;
    spoil(offer(version, { lowestFrom: "1.0.0" }));
    const machine = aMachine({ version });
    const refusal = await outcome(upgrade(machine.options));
    expect(["ERR_FORBIDDEN", "ERR_UNPROCESSABLE"]).toContain(refusal as string);
    expect(machine.installed()).toBe(RUNNING);
    expect(machine.files()).toEqual(["qf"]);
    expect(machine.restarted).toEqual([]);
    expect(existsSync(join(machine.options.stateDir, "versions.json"))).toBe(false);
    rmSync(join(releases, version), { recursive: true });
  });

  test("as it should be, the same release is taken; by the next key as well", async () => {
    offer("2.1.0", { lowestFrom: "1.0.0" });
    const keys = [aReleaseKey(tempFolder()).publicKey, key.publicKey];
    expect(await upgrade(aMachine({ version: "2.1.0", keys }).options)).toBe("2.1.0");
  });

  test("a development build takes none", async () => {
    offer("2.1.0");
    expect(await outcome(upgrade(aMachine({ version: "2.1.0", keys: [] }).options))).toBe("ERR_FORBIDDEN");
  });

  test("a version that is not there, and a server that is not there", async () => {
    expect(await outcome(upgrade(aMachine({ version: "9.9.9" }).options))).toBe("ERR_NOT_FOUND");
    const url = "http://127.0.0.1:1";
    expect(await outcome(upgrade(aMachine({ url }).options))).toBe("ERR_UNAVAILABLE");
  });
});

/** A restart that fails, up to try `last`. */
function failAt(tries: number, last: number): void {
  if (tries <= last) throw new QfError("ERR_UNAVAILABLE", "it does not answer");
}

function manifest(at: string): string {
  return readFileSync(join(at, "manifest.json"), "utf8");
}

function change(at: string, by: (text: string) => string): void {
  const text = by(manifest(at));
  expect(text).not.toBe(manifest(at));
  writeFileSync(join(at, "manifest.json"), text);
}

function resign(at: string, by: ReleaseKey, namespace?: string, text = manifest(at)): void {
  writeFileSync(join(at, "manifest.json"), text);
  writeFileSync(join(at, "manifest.json.sig"), signatureOf(text, by, namespace));
}

function copy(from: string, to: string): void {
  for (const name of readdirSync(from)) writeFileSync(join(to, name), readFileSync(join(from, name)));
}

function versionOf(at: string): string {
  return at.split("/").at(-1) ?? "";
}

/** Other bytes in the packed build, cut by `end`; null: what is there, without packing. */
function builds(at: string, by: ((bytes: Buffer) => Buffer) | null, end?: number): void {
  const plain = readFileSync(join(at, "qf-linux-x64"));
  const packed = by === null ? plain : Bun.zstdCompressSync(by(plain)).subarray(0, end);
  writeFileSync(join(at, "qf-linux-x64.zst"), packed);
}
