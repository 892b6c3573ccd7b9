/** Upgrades that management orders, from a real management server, of a stand-in executable. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  type LinkedAgent,
  type OrderedUpgradeOptions,
  orderedUpgrade,
  recordOrder,
} from "../../../src/agent/upgrade/ordered-upgrade.ts";
import { isQfError, QfError } from "../../../src/base/errors.ts";
import { UpgradeRecord } from "../../../src/wire/upgrade-report.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { aReleaseKey, type ReleaseKey, signatureOf, standIn, writeRelease } from "../../support/release.ts";
import { startTestManagement, type TestManagement } from "../../support/running-management.ts";
import { tempFolder } from "../../support/temp-folder.ts";

const [RUNNING, NEW] = ["1.0.0", "1.1.0"];
const orderId = "order000000000000001";
const nowMs = Date.now();
let management: TestManagement;
let folder: string;
let key: ReleaseKey;

beforeAll(async () => {
  folder = tempFolder();
  key = aReleaseKey(folder);
  const releases = join(folder, "releases");
  management = await startTestManagement(join(folder, "data"), { releases, executable: null });
});
afterAll(() => management.close());

type Change = Parameters<typeof writeRelease>[0]["change"];
const offer = (version: string, change: Change = {}) =>
  writeRelease({ folder: join(folder, "releases"), version, key, ...(change && { change }) });
const pathOf = (version: string, name: string) => join(folder, "releases", version, name);

/** A machine that runs 1.0.0; its agent is of what is installed. */
function aMachine(change: Partial<OrderedUpgradeOptions> = {}, isLinked: () => boolean = () => true) {
  const home = tempFolder();
  const [executable, stateDir] = [join(home, "bin/qf"), join(home, "state")];
  for (const path of ["bin", "state"]) mkdirSync(join(home, path));
  writeFileSync(executable, standIn(RUNNING));
  chmodSync(executable, 0o755);
  const clock = new FakeClock(nowMs);
  const states: string[] = [];
  const record = () => UpgradeRecord.parse(JSON.parse(readFileSync(join(stateDir, "upgrade.json"), "utf8")));
  const installed = () => /qf (\d\S*)/.exec(readFileSync(executable, "utf8"))?.[1] ?? "";
  const status = async (): Promise<LinkedAgent> => ({
    version: installed(),
    management: { connected: isLinked() },
  });
  const options: OrderedUpgradeOptions = {
    ...{ url: management.url, version: NEW, orderId, stateDir, executable, keys: [key.publicKey] },
    ...{ running: RUNNING, target: "linux-x64", say: () => {}, clock, status },
    restart: async () => void states.push(`${record().state} ${installed()}`),
    sleep: async (ms) => clock.advanceMs(ms),
    ...change,
  };
  const run = () =>
    orderedUpgrade(options).catch((error: unknown) => (isQfError(error) ? error.code : String(error)));
  return { run, options, installed, states, record, files: () => readdirSync(join(home, "bin")) };
}

describe("an ordered upgrade", () => {
  test("is written down as it goes on, and is done when the new agent reaches management", async () => {
    offer(NEW);
    const machine = aMachine();
    expect(await machine.run()).toBe(NEW);
    expect(machine.states).toEqual([`restarting ${NEW}`]);
    expect(machine.record()).toEqual({ format: 1, orderId, state: "done", detail: "" });
    expect([machine.installed(), machine.files()]).toEqual([NEW, ["qf"]]);
  });

  test("goes back where the new agent does not reach management", async () => {
    offer(NEW);
    const machine = aMachine({}, () => false);
    expect(await machine.run()).toBe("ERR_UNAVAILABLE");
    expect(machine.states).toEqual([`restarting ${NEW}`, `restarting ${RUNNING}`]);
    expect(machine.record()).toMatchObject({ state: "failed" });
    expect([machine.installed(), machine.files()]).toEqual([RUNNING, ["qf"]]);
  });

  test("goes back where the new agent does not come up", async () => {
    offer(NEW);
    let starts = 0;
    const restart = async () => {
      starts += 1;
      if (starts === 1) throw new QfError("ERR_UNAVAILABLE", "port taken");
    };
    const machine = aMachine({ restart });
    expect(await machine.run()).toBe("ERR_UNAVAILABLE");
    expect(machine.record()).toMatchObject({ state: "failed" });
    expect(machine.installed()).toBe(RUNNING);
  });

  // What an administrator, or a server that was broken into, could order: nothing of it is installed.
  test.each<[string, () => Partial<OrderedUpgradeOptions>]>([
    [
      "an old release under a new name",
      () => {
        offer("1.4.0", { version: "1.3.0" });
        return { version: "1.4.0" };
      },
    ],
    [
      "another target's file",
      () => {
        offer("1.4.1");
        writeFileSync(pathOf("1.4.1", "qf-linux-x64.zst"), Bun.zstdCompressSync(standIn("1.4.2")));
        return { version: "1.4.1" };
      },
    ],
    [
      "a release without a build for it",
      () => {
        offer("1.4.2", { targets: {} });
        return { version: "1.4.2" };
      },
    ],
    [
      "an expired release",
      () => {
        offer("1.4.3", { expiry: "2020-01-01T00:00:00Z" });
        return { version: "1.4.3" };
      },
    ],
    [
      "a withdrawn release",
      () => {
        offer("1.4.4", { withdrawn: ["1.4.4"] });
        return { version: "1.4.4" };
      },
    ],
    [
      "a release whose signature is gone",
      () => {
        offer("1.4.5");
        rmSync(pathOf("1.4.5", "manifest.json.sig"));
        return { version: "1.4.5" };
      },
    ],
    [
      "a release that somebody else signed",
      () => {
        offer("1.4.6");
        const text = readFileSync(pathOf("1.4.6", "manifest.json"), "utf8");
        const other = aReleaseKey(tempFolder());
        writeFileSync(pathOf("1.4.6", "manifest.json.sig"), signatureOf(text, other));
        return { version: "1.4.6" };
      },
    ],
    [
      "a downgrade",
      () => {
        offer("0.9.0");
        return { version: "0.9.0" };
      },
    ],
    [
      "a release that cannot take over from here",
      () => {
        offer("1.4.7", { lowestFrom: "1.3.0" });
        return { version: "1.4.7" };
      },
    ],
    ["a release that is not there", () => ({ version: "1.9.9" })],
    [
      "anything, by a development build",
      () => {
        offer(NEW);
        return { keys: [] };
      },
    ],
  ])("does not install %s", async (_what, prepare) => {
    const machine = aMachine(prepare());
    expect(await machine.run()).toMatch(/^ERR_(?:FORBIDDEN|NOT_FOUND)$/);
    expect(machine.record()).toMatchObject({ orderId, state: "failed" });
    expect(machine.record().detail).not.toBe("");
    expect([machine.installed(), machine.files(), machine.states]).toEqual([RUNNING, ["qf"], []]);
  });
});

test("what is written of an order is as long as it may be told", async () => {
  const stateDir = tempFolder();
  await recordOrder({ stateDir, orderId }, { state: "refused", detail: "x".repeat(2_000) });
  const text = readFileSync(join(stateDir, "upgrade.json"), "utf8");
  expect(UpgradeRecord.parse(JSON.parse(text)).detail).toHaveLength(512);
});
