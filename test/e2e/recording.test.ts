/**
 * Recordings through the whole product: what is played is what was shown, and what was typed unseen is
 * nowhere, neither in the recording nor on any disk on its way.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { generateX25519Identity, identityToRecipient } from "age-encryption";
import { unpackChunk } from "../../src/recording/chunk.ts";
import type { Recording, RecordingPage } from "../../src/wire/recording.ts";
import { type Lab, type LabDevice, policyBody } from "../support/lab.ts";
import { LabTerminal } from "../support/lab-terminal.ts";
import { isRoot, type OsAccount } from "../support/os-accounts.ts";
import { openSetUp, type SetUp } from "../support/set-up.ts";

describe.skipIf(!isRoot)("a recording", () => {
  let setUp: SetUp;
  let lab: Lab;
  let device: LabDevice;
  let account: OsAccount;

  beforeAll(async () => {
    setUp = await openSetUp({
      accounts: [["rec", "--create-home", "--shell", "/bin/bash"]],
      policies: [{ rule: { ssh: { record: "best_effort" } } }],
    });
    ({ lab, device, account } = setUp);
  }, 120_000);
  afterAll(async () => {
    await setUp?.[Symbol.asyncDispose]();
  });

  const record = (mode: string): Promise<unknown> =>
    lab.api(
      "PUT",
      `/api/policies/${setUp.policy.id}`,
      policyBody("devs", [setUp.devs], [setUp.servers], {
        authorized_groups: { [setUp.devs]: [account.name] },
        ssh: { record: mode },
      }),
    );
  const list = () => lab.api<Recording[]>("GET", "/api/recordings");
  const terminal = (...args: string[]) =>
    new LabTerminal(
      [lab.executable, "ssh", "-t", `${account.name}@web1`, ...args],
      { ...lab.env(device.env()), TERM: "xterm-256color" },
      lab.root,
    );

  /** The recording that `run` makes, once it is over. */
  async function recordingOf(run: () => Promise<unknown>): Promise<Recording> {
    const known = new Set((await list()).map(({ id }) => id));
    await run();
    return lab.until("the recording", async () =>
      (await list()).find(({ id, status }) => !known.has(id) && status !== "running"),
    );
  }

  async function castOf({ id, encrypted }: Recording): Promise<string> {
    expect(encrypted).toBe(false);
    let text = "";
    for (let from = 0; ; ) {
      const page = await lab.api<RecordingPage>("GET", `/api/recordings/${id}/chunks?from=${from}`);
      text += page.chunks.map(({ data }) => Buffer.from(data, "base64").toString()).join("");
      if (page.chunks.length === 0) return text;
      from = page.next;
    }
  }

  /** Every file of management's store and of the machine's spool, unpacked where it can be. */
  function stored(): string {
    const folders = [join(lab.dataDir, "recordings"), setUp.agent.stateDir];
    const files = folders.flatMap((folder) =>
      existsSync(folder)
        ? readdirSync(folder, { recursive: true, encoding: "utf8" }).map((name) => join(folder, name))
        : [],
    );
    return files
      .filter((path) => statSync(path).isFile())
      .map((path) => readFileSync(path))
      .flatMap((bytes) => [bytes.toString("latin1"), ...frames(bytes)])
      .join("\n");
  }
  /** Whatever in `bytes` is a zstd frame, to its end or that of the next. */
  function frames(bytes: Buffer): string[] {
    const found: string[] = [];
    for (let at = bytes.indexOf("\x28\xb5\x2f\xfd", 0, "latin1"); at >= 0; ) {
      const next = bytes.indexOf("\x28\xb5\x2f\xfd", at + 4, "latin1");
      try {
        found.push(Buffer.from(unpackChunk(bytes.subarray(at, next < 0 ? undefined : next))).toString());
      } catch {
        // It is no frame of ours.
      }
      at = next;
    }
    return found;
  }

  test.skipIf(Bun.which("less") === null)(
    "plays back what vim, less, a resize, UTF-8 and colours have shown",
    async () => {
      const script = [
        "printf '\\033[38;2;255;128;0mtrue\\033[0m gr\\303\\274\\303\\237e '",
        "printf '\\346\\274\\242\\345\\255\\227\\n'",
        "seq 200 | less",
        Bun.which("vim") === null ? "true" : "vim -u NONE -c 'set number' -c ':redraw' -c ':q' /etc/passwd",
        "stty size",
      ].join("; ");
      let seen = "";
      const recording = await recordingOf(async () => {
        const shown = terminal(script);
        await shown.expect(/\n:/);
        shown.process.terminal?.resize(90, 20);
        // A key that comes while less draws anew is lost to it.
        await lab.until("the end of the file", async () => {
          shown.type("G");
          return /200/.test(shown.text);
        });
        shown.type("q");
        await shown.end();
        seen = shown.text;
      });
      const raw = join(lab.root, "raw");
      const played = await lab.qf(["session", "replay", recording.id, "--raw"], {
        env: { QF_TOKEN: lab.token, QF_MANAGEMENT_URL: lab.url },
      });
      expect(played.exitCode).toBe(0);
      // What the person saw begins with the line that the session is recorded, and ends with ssh's own.
      expect(seen).toContain(played.stdout);
      expect(played.stdout).toContain("\u001b[38;2;255;128;0mtrue\u001b[0m grüße 漢字");
      expect(await castOf(recording)).toMatch(/"r", "90x20"/);
      const cast = `${raw}.cast`;
      const exported = await lab.qf(["session", "replay", recording.connection_id, "--export", cast], {
        env: { QF_TOKEN: lab.token, QF_MANAGEMENT_URL: lab.url },
      });
      expect(exported.stderr).toBe("");
      expect(readFileSync(cast, "utf8")).toBe(await castOf(recording));
    },
    60_000,
  );

  test("holds no password typed to sudo, passwd or read -s, also in tmux and in a terminal within", async () => {
    const words: string[] = [];
    const secret = (): string => {
      words.push(`hunter${words.length}-${account.name}`);
      return `${words.at(-1)}\r`;
    };
    const recording = await recordingOf(async () => {
      const shell = terminal();
      await shell.expect(/\$ /);
      let count = 0;
      /** Runs `command`, which asks for a secret with `prompt`, and then says that it is over. */
      const asked = async (command: string, prompt: RegExp): Promise<void> => {
        const mark = `over${++count}x`;
        shell.text = "";
        shell.type(`${command}; echo ${mark.slice(0, -1)}""x\r`);
        await shell.expect(prompt);
        shell.type(secret());
        await shell.expect(new RegExp(mark));
      };
      await asked("read -sp 'word: ' x", /word: $/m);
      if (Bun.which("script") !== null)
        await asked("script -qc \"bash -c 'read -sp inner: x'\" /dev/null", /inner:$/m);
      await asked("passwd", /assword: ?$/m);
      if (Bun.which("tmux") !== null) {
        shell.text = "";
        shell.type("tmux -f /dev/null new-session 'read -sp de\\ep: x; echo gone'\r");
        await shell.expect(/deep:/);
        shell.type(secret());
        await shell.expect(/\[exited\]|\$ $/);
      }
      shell.text = "";
      shell.type("exit\r");
      await shell.end();
    });
    if (Bun.which("sudo") !== null) {
      const bySudo = await recordingOf(async () => {
        const asking = terminal("sudo -p 'sudo: ' true");
        await asking.expect(/sudo: $/m);
        asking.type(secret());
        // It asks again.
        await asking.expect(/sudo: [\s\S]*sudo: /);
        asking.process.kill();
        await asking.process.exited;
      });
      expect(await castOf(bySudo)).toMatch(/unseen by sudo/);
    }
    const cast = await castOf(recording);
    expect(cast).toContain("read -sp");
    expect(cast).toMatch(/unseen by bash/);
    const everywhere = stored();
    expect(everywhere).toContain("read -sp");
    for (const word of words) {
      expect(cast).not.toContain(word);
      expect(everywhere).not.toContain(word);
    }
    expect(words.length).toBeGreaterThanOrEqual(3);
  }, 60_000);

  test("is nothing that management can read where the account has recipients", async () => {
    const identity = await generateX25519Identity();
    const settings = { recording_recipients: [await identityToRecipient(identity)] };
    const change = (value: object) =>
      lab.qf(
        ["account", "set", ...Object.entries(value).map(([name, one]) => `${name}=${JSON.stringify(one)}`)],
        {
          env: { QF_TOKEN: lab.token, QF_MANAGEMENT_URL: lab.url },
        },
      );
    expect((await change(settings)).exitCode).toBe(0);
    const code = `launch-${account.name}`;
    const recording = await lab.until("one that is encrypted", async () => {
      const made = await recordingOf(() => device.ssh([`${account.name}@web1`, `echo ${code} | rev`]));
      return made.encrypted ? made : undefined;
    });
    const shown = [...code].reverse().join("");
    expect(stored()).not.toContain(shown);
    const key = join(lab.root, "key.txt");
    writeFileSync(key, `${identity}\n`);
    const replay = (...more: string[]) =>
      lab.qf(["session", "replay", recording.id, ...more], {
        env: { QF_TOKEN: lab.token, QF_MANAGEMENT_URL: lab.url },
      });
    expect((await replay()).exitCode).toBe(2);
    expect((await replay("--identity", key)).stdout).toBe(`${shown}\n`);
    expect((await change({ recording_recipients: [] })).exitCode).toBe(0);
  }, 60_000);

  test("is followed while it runs, which is on record, and leaving does not end the session", async () => {
    const shown = terminal();
    await shown.expect(/[$#] /);
    const running = await lab.until("the recording", async () =>
      (await list()).find(({ kind, status }) => kind === "shell" && status === "running"),
    );
    const owner = { QF_TOKEN: lab.token, QF_MANAGEMENT_URL: lab.url };
    const watch = ["session", "watch", running.connection_id];
    const watching = new LabTerminal([lab.executable, ...watch], lab.env(owner), lab.root);
    shown.type("echo se''en\n");
    await watching.expect(/seen/);
    watching.type("q");
    expect(await watching.end()).toBe(0);
    const read = (await lab.events()).filter(({ activity_code }) => activity_code === "recording.read");
    expect(read.some(({ meta }) => meta.live === "true")).toBe(true);
    const stranger = await lab.createPerson("eve@example.com");
    const refused = await lab.device(stranger, "stranger").qf(watch);
    expect(refused).toMatchObject({ exitCode: 1, stdout: "" });
    shown.type("exit\n");
    expect(await shown.end()).toBe(0);
    await lab.until("its end", async () => {
      const { exitCode, stderr } = await lab.qf(watch, { env: owner });
      return exitCode === 1 && stderr.includes(`qf session replay ${running.connection_id}`);
    });
  }, 90_000);

  test("that is required ends the session when its store is gone, and begins none until it is back", async () => {
    await record("required");
    const store = join(lab.dataDir, "recordings");
    const run = (command: string) => device.ssh([`${account.name}@web1`, command]);
    await lab.until("one is required", async () => {
      await run("true");
      return (await list()).some(({ mode }) => mode === "required");
    });
    renameSync(store, `${store}.aside`);
    writeFileSync(store, "");
    const refused = await run("echo never");
    expect([refused.exitCode, refused.stdout]).toEqual([254, ""]);
    renameSync(store, `${store}.file`);
    renameSync(`${store}.aside`, store);
    expect(await run("echo again")).toMatchObject({ exitCode: 0, stdout: "again\n" });
  }, 60_000);
});
