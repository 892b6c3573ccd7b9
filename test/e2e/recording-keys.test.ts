/** Who can read a recording: keys that root names at the machine, and keys for everything that is typed. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { generateX25519Identity, identityToRecipient } from "age-encryption";
import type { Recording } from "../../src/wire/recording.ts";
import { type Lab, labFile, policyBody } from "../support/lab.ts";
import { readableIn, recordingOf, storedBytes } from "../support/lab-recordings.ts";
import { isRoot } from "../support/os-accounts.ts";
import { openSetUp, type SetUp } from "../support/set-up.ts";

/** An age key pair, its identity in a file of the lab. */
async function ageKey(lab: Lab, name: string) {
  const identity = await generateX25519Identity();
  return {
    file: labFile(lab, `${name}.key`, `${identity}\n`),
    recipient: await identityToRecipient(identity),
  };
}

describe.skipIf(!isRoot)("a recording that is encrypted", () => {
  let setUp: SetUp;
  let lab: Lab;
  let ofAccount: Awaited<ReturnType<typeof ageKey>>;
  let ofRoot: Awaited<ReturnType<typeof ageKey>>;

  beforeAll(async () => {
    setUp = await openSetUp({
      accounts: [["reckey", "--create-home", "--shell", "/bin/bash"]],
      policies: [{ rule: { ssh: { record: "required" } } }],
    });
    ({ lab } = setUp);
    ofAccount = await ageKey(lab, "account");
    ofRoot = await ageKey(lab, "root");
  }, 120_000);
  afterAll(async () => {
    await setUp?.[Symbol.asyncDispose]();
  });

  const set = (name: string, value: unknown) =>
    lab.qf(["account", "set", `${name}=${JSON.stringify(value)}`], {
      env: { QF_TOKEN: lab.token, QF_MANAGEMENT_URL: lab.url },
    });
  const replay = (id: string, ...more: string[]) =>
    lab.qf(["session", "replay", id, ...more], {
      env: { QF_TOKEN: lab.token, QF_MANAGEMENT_URL: lab.url },
    });
  const run = (command: string) => setUp.device.ssh([`${setUp.account.name}@web1`, command]);
  /** Runs `command` until its recording is as wanted: the machine has heard of what was set. */
  const recordedAs = (isEncrypted: boolean, command: string): Promise<Recording> =>
    lab.until("such a recording", async () => {
      const made = await recordingOf(lab, () => run(command));
      return made.encrypted === isEncrypted && made;
    });
  const readable = () => readableIn([lab.dataDir, setUp.agent.stateDir]);

  test("to recipients that root names is for them alone, whatever the account says", async () => {
    await setUp.agent.up([
      "--recording-recipients",
      labFile(lab, "recipients", `# root\n${ofRoot.recipient}\n`),
    ]);
    expect((await recordedAs(true, "echo one")).status).toBe("complete");
    // The account names others, which count for nothing here.
    expect((await set("recording_recipients", [ofAccount.recipient])).exitCode).toBe(0);
    const { id } = await recordingOf(lab, () => run("echo revliskciuq | rev"));
    expect((await replay(id, "--identity", ofRoot.file)).stdout).toBe("quicksilver\n");
    const byAccount = await replay(id, "--identity", ofAccount.file);
    expect(byAccount).toMatchObject({ exitCode: 1, stdout: "" });
    expect(byAccount.stderr).toContain("qf: error:");
    expect(await replay(id)).toMatchObject({ exitCode: 2, stdout: "" });
    expect((await storedBytes(lab, id)).toString("latin1")).toStartWith("age-encryption.org/v1");
    expect(readable().includes("quicksilver")).toBe(false);
    // Nor can management have them go unencrypted.
    expect((await set("recording_recipients", [])).exitCode).toBe(0);
    expect((await recordingOf(lab, () => run("echo two"))).encrypted).toBe(true);
  }, 120_000);

  test.each([
    ["no recipient", "# nobody\n"],
    ["a line that is no recipient", "age1qqqq\n"],
  ])(
    "is not made to a file with %s: the agent does not start with it",
    async (_name, text) => {
      const other = labFile(lab, "others", text);
      const refused = await setUp.agent.tryUp(["--recording-recipients", other]);
      expect(refused.exitCode).toBe(2);
      expect(refused.stderr).toContain(other);
      expect((await recordingOf(lab, () => run("echo still"))).encrypted).toBe(true);
    },
    60_000,
  );

  test("holds what is typed unseen only under record_input: all, which needs recipients", async () => {
    await setUp.agent.up(["--recording-recipients", ""]);
    expect((await recordedAs(false, "true")).status).toBe("complete");
    const rule = (record: object) =>
      lab.apiResponse(
        "PUT",
        `/api/policies/${setUp.policy.id}`,
        policyBody("devs", [setUp.devs], [setUp.servers], {
          authorized_groups: { [setUp.devs]: [setUp.account.name] },
          ssh: record,
        }),
      );
    const refused = await rule({ record: "required", record_input: "all" });
    expect(refused.status).toBe(422);
    expect(await refused.text()).toContain("recording_recipients");

    expect((await set("recording_recipients", [ofAccount.recipient])).exitCode).toBe(0);
    // Under `required`, lines that a shell reads unseen end the session.
    expect((await rule({ record: "best_effort" })).status).toBe(200);
    await lab.until("the rule", async () => (await recordedAs(true, "true")).mode === "best_effort");
    const typed = async (word: string) => {
      const { id } = await recordingOf(lab, async () => {
        const terminal = setUp.device.terminal([
          ...["ssh", "-t", `${setUp.account.name}@web1`],
          "read -sp 'word: ' x; echo th''anks",
        ]);
        await terminal.expect(/word: $/m);
        terminal.type(`${word}\r`);
        await terminal.expect(/thanks/);
        await terminal.end();
        line = /This session is recorded[^\r\n]*/.exec(terminal.text)?.[0] ?? "";
      });
      const cast = join(lab.root, `${id}.cast`);
      expect((await replay(id, "--identity", ofAccount.file, "--export", cast)).exitCode).toBe(0);
      return await Bun.file(cast).text();
    };
    let line = "";
    const without = await typed("hunter1");
    expect(without).toContain("thanks");
    expect(without).not.toContain("hunter1");
    expect(line).not.toContain("passwords");

    expect((await rule({ record: "required", record_input: "all" })).status).toBe(200);
    await lab.until("all input is recorded", async () => {
      await typed("hunter2");
      return line.includes("everything that is typed, passwords too");
    });
    expect(await typed("hunter3")).toContain('"i", "hunter3');
    expect(readable().includes("hunter3")).toBe(false);
    // The recipients cannot be taken from such a rule.
    const taken = await set("recording_recipients", []);
    expect(taken.exitCode).toBe(1);
    expect(taken.stderr).toContain("record_input: all");
  }, 120_000);
});
