/**
 * `--record-offline`: what must be recorded runs while management is away at a machine whose root said so,
 * and at no other; the recording is handed in when management is back.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { sentenceOf } from "../../src/policy/sentences.ts";
import type { Recording } from "../../src/wire/recording.ts";
import type { LabAgent } from "../support/lab.ts";
import { listRecordings, readableIn, storedBytes } from "../support/lab-recordings.ts";
import { isRoot } from "../support/os-accounts.ts";
import { openSetUp, type SetUp } from "../support/set-up.ts";

const KEPT_LINE = "it is kept on this machine until it can";

describe.skipIf(!isRoot)("a machine with --record-offline", () => {
  let setUp: SetUp;
  let store: string;

  const run = (machine: string, command: string) =>
    setUp.device.ssh([`${setUp.account.name}@${machine}`, command]);
  const isDown = (agent: LabAgent) =>
    setUp.lab.until("the link to be down", async () => !(await agent.status()).management.connected, 30_000);
  const isUp = (agent: LabAgent) =>
    setUp.lab.until("the link to be up", async () => (await agent.status()).management.connected, 60_000);

  const ids = async () => new Set((await listRecordings(setUp.lab)).map(({ id }) => id));
  const spool = () => join(setUp.machine("web1").stateDir, "recordings");

  beforeAll(async () => {
    setUp = await openSetUp({
      accounts: [["recoff"]],
      policies: [{ rule: { ssh: { record: "required" } } }],
      machines: {
        web1: ["--allow-offline-logins", "--record-offline"],
        web2: ["--allow-offline-logins"],
      },
    });
    store = join(setUp.lab.dataDir, "recordings");
    // The login is used at both, without which neither takes it while management is away.
    for (const machine of ["web1", "web2"]) {
      await setUp.lab.until("access", async () => (await run(machine, "echo in")).stdout === "in\n");
    }
  }, 180_000);
  afterAll(async () => {
    await setUp?.[Symbol.asyncDispose]();
  });

  /** Checks that `command` shows `shown` at web1, where it is kept, and that nothing of it begins at web2. */
  async function runsAtOneOnly(command: string, shown: string): Promise<void> {
    const refused = await run("web2", `touch ~/began; ${command}`);
    expect(refused).toMatchObject({ exitCode: 254, stdout: "" });
    expect(refused.stderr).toContain(sentenceOf("recording_unavailable").sentence);
    const kept = await run("web1", `ls ~/began; ${command}`);
    expect(kept).toMatchObject({ exitCode: 0, stdout: `${shown}\n` });
    expect(kept.stderr).toContain("No such file");
    expect(kept.stderr).toContain(KEPT_LINE);
    expect(readableIn([spool()])).toContain(shown);
  }

  /** Waits for the recording that was not there before, and for the machine to forget it. */
  async function handsIn(known: ReadonlySet<string>, shown: string): Promise<void> {
    const { lab, account } = setUp;
    const isNew = ({ id, mode, status }: Recording) =>
      !known.has(id) && mode === "required" && status === "complete";
    const recording = await lab.until(
      "the recording",
      async () => (await listRecordings(lab)).find(isNew),
      60_000,
    );
    expect(recording.local_user).toBe(account.name);
    expect((await storedBytes(lab, recording.id)).toString()).toContain(shown);
    await lab.until("the spool to be empty", async () => !readableIn([spool()]).includes(shown), 60_000);
    expect((await run("web1", "true")).stderr).not.toContain(KEPT_LINE);
  }

  test("keeps what runs while the store is away, and hands it in later", async () => {
    const known = await ids();
    renameSync(store, `${store}.aside`);
    writeFileSync(store, "");
    await runsAtOneOnly("echo uns''tored", "unstored");
    renameSync(store, `${store}.file`);
    renameSync(`${store}.aside`, store);
    await handsIn(known, "unstored");
  }, 120_000);

  test("keeps what runs while management is away, and hands it in later", async () => {
    const { lab } = setUp;
    const machines = [setUp.machine("web1"), setUp.machine("web2")];
    const known = await ids();
    await lab.management?.kill();
    await Promise.all(machines.map(isDown));
    await runsAtOneOnly("echo of''fline", "offline");
    await lab.serveManagement();
    await Promise.all(machines.map(isUp));
    await handsIn(known, "offline");
  }, 180_000);
});
