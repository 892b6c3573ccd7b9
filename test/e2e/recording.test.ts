/**
 * Recordings through the whole product: what is played is what was shown, and what was typed unseen is
 * nowhere, neither in the recording nor on any disk on its way.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { generateX25519Identity, identityToRecipient } from "age-encryption";
import { CastReader } from "../../src/recording/cast.ts";
import { ScreenFilter } from "../../src/recording/screen-filter.ts";
import type { CastEvent, Recording } from "../../src/wire/recording.ts";
import { openSshd } from "../bench/sshd.ts";
import { hasSshd } from "../support/beside-sshd.ts";
import { screenAfter } from "../support/emulator.ts";
import { type Lab, type LabDevice, policyBody } from "../support/lab.ts";
import {
  listRecordings,
  readableIn,
  recordingOf as recordingMadeBy,
  storedBytes,
} from "../support/lab-recordings.ts";
import { LabTerminal } from "../support/lab-terminal.ts";
import { isRoot, type OsAccount } from "../support/os-accounts.ts";
import { alivePids } from "../support/processes.ts";
import { openSetUp, type SetUp } from "../support/set-up.ts";

type Size = { readonly cols: number; readonly rows: number };

/** What was shown from place `start` on, cut where the window has another size. */
function stepsOf(text: string, start: number, sizes: readonly (Size & { readonly at: number })[]) {
  const steps: (string | Size)[] = [];
  let from = 0;
  for (const size of sizes.filter(({ at }) => at < start + text.length)) {
    steps.push(text.slice(from, size.at - start), size);
    from = size.at - start;
  }
  return [...steps, text.slice(from)];
}

/** The first `characters` of a recording, as a terminal is given them when it is played. */
function playedTo(events: readonly CastEvent[], characters: number) {
  const filter = new ScreenFilter();
  const steps: (string | Size)[] = [];
  let left = characters;
  for (const [, code, text] of events) {
    const [cols = 0, rows = 0] = text.split("x").map(Number);
    if (code === "r" && left > 0) steps.push({ cols, rows });
    if (code !== "o") continue;
    steps.push(filter.filter(text.slice(0, left)));
    left -= Math.min(left, text.length);
  }
  return steps;
}

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
  const list = () => listRecordings(lab);
  /** What `qf session replay` prints. */
  async function replay(...args: string[]): Promise<string> {
    const played = await lab.qf(["session", "replay", ...args], {
      env: { QF_TOKEN: lab.token, QF_MANAGEMENT_URL: lab.url },
    });
    expect([played.exitCode, played.stderr]).toEqual([0, ""]);
    return played.stdout;
  }
  const terminal = (...args: string[]) =>
    new LabTerminal(
      [lab.executable, "ssh", "-t", `${account.name}@web1`, ...args],
      { ...lab.env(device.env()), TERM: "xterm-256color" },
      lab.root,
    );

  const recordingOf = (run: () => Promise<unknown>) => recordingMadeBy(lab, run);

  async function castOf({ id, encrypted }: Recording): Promise<string> {
    expect(encrypted).toBe(false);
    return (await storedBytes(lab, id)).toString();
  }

  /** Every file of management's store and of the machine's spool, unpacked where it can be. */
  const stored = () => readableIn([join(lab.dataDir, "recordings"), setUp.agent.stateDir]);

  const HAS_TOOLS = ["less", "vim", "tmux"].every((tool) => Bun.which(tool) !== null);
  test.skipIf(!HAS_TOOLS)(
    "plays back screen by screen as it was: vim, tmux, less, sizes, colours",
    async () => {
      const vim = ["set termguicolors number", "hi Normal guifg=#12ab34 guibg=#200040", "redraw"];
      const script = [
        "printf '\\033[38;2;255;128;0mtrue\\033[0m gr\\303\\274\\303\\237e '",
        "printf '\\346\\274\\242\\345\\255\\227 \\360\\237\\230\\200\\n'",
        "seq 200 | less",
        `vim -u NONE ${vim.map((one) => `-c '${one}'`).join(" ")} /etc/passwd`,
        "tmux -u -f /dev/null new-session 'printf \"in t\\303\\274mux\\n\"; read'",
        "stty size",
      ].join("; ");
      let seen = "";
      /** Places in what was shown: where it is looked at, and where the window has another size. */
      const looks: number[] = [];
      const sizes: { readonly at: number; readonly cols: number; readonly rows: number }[] = [];
      const recording = await recordingOf(async () => {
        const shown = terminal(script);
        const resize = (cols: number, rows: number): void => {
          sizes.push({ at: shown.text.length, cols, rows });
          shown.process.terminal?.resize(cols, rows);
        };
        const look = async (pattern: RegExp): Promise<void> => {
          await shown.expect(pattern);
          looks.push(shown.text.length);
        };
        await look(/\n:/);
        resize(90, 20);
        // A key that comes while less draws anew is lost to it.
        await lab.until("the end of the file", async () => {
          shown.type("G");
          // Not in the middle of drawing: the last line and what stands below it end what was shown.
          const isDrawn = /\n200\r*\n[^\n]*\(END\)[^\n]*$/.test(shown.text);
          if (isDrawn) looks.push(shown.text.length);
          return isDrawn;
        });
        shown.type("q");
        await look(/root:x:0:0[\s\S]*daemon/);
        shown.type(":set list\r");
        await look(/\$\u001b/);
        shown.type(":q\r");
        await look(/in tümux/);
        resize(110, 34);
        shown.type("\r");
        await shown.end();
        seen = shown.text;
      });
      const cast = await castOf(recording);
      const reader = new CastReader();
      const events = reader.read(cast);
      const raw = await replay(recording.id, "--raw");
      // What the person saw begins with the line that the session is recorded, and ends with ssh's own.
      const start = seen.indexOf(raw);
      expect(start).toBeGreaterThan(0);
      expect(raw).toContain("\u001b[38;2;255;128;0mtrue\u001b[0m grüße 漢字 😀");
      expect(cast).toMatch(/"r", "90x20"[\s\S]*"r", "110x34"/);
      const { width: cols = 0, height: rows = 0 } = reader.header ?? {};
      expect(looks.length).toBe(5);
      const screens: string[] = [];
      for (const at of [...looks, start + raw.length]) {
        const live = await screenAfter({ cols, rows, steps: stepsOf(seen.slice(start, at), start, sizes) });
        screens.push(live.join("\n"));
        expect(await screenAfter({ cols, rows, steps: playedTo(events, at - start) })).toEqual(live);
      }
      // Each program was really there: the colour of vim's text, what was typed to it, tmux.
      const wanted = ["1\n", "200", `${0x12ab34}`, ":set list", "in tümux"];
      for (const [i, text] of wanted.entries()) expect(screens[i]).toContain(text);
      const path = join(lab.root, "session.cast");
      expect(await replay(recording.connection_id, "--export", path)).toBe("");
      expect(readFileSync(path, "utf8")).toBe(cast);
    },
    90_000,
  );

  test("holds no password typed to sudo, passwd or read -s, also in tmux and in a terminal within", async () => {
    const hasAll = hasSshd && ["sudo", "tmux", "script"].every((tool) => Bun.which(tool) !== null);
    // The second host: Debian's sshd, for the same local user.
    await using sshd = hasAll ? await openSshd("", account.name) : null;
    if (sshd !== null) Bun.spawnSync(["chown", account.name, sshd.key]);
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
      const asked = async (command: string, prompt: RegExp, isRefused = false): Promise<void> => {
        const mark = `over${++count}x`;
        shell.text = "";
        shell.type(`${command}; echo ${mark.slice(0, -1)}""x\r`);
        await shell.expect(prompt);
        shell.text = "";
        shell.type(secret());
        // Whoever does not take it asks again, and takes the end of the input for an answer.
        if (isRefused) await shell.expect(prompt);
        if (isRefused) shell.type("\u0004");
        await shell.expect(new RegExp(mark));
      };
      await asked("read -sp 'word: ' x", /word: $/m);
      if (Bun.which("script") !== null)
        await asked("script -qc \"bash -c 'read -sp inner: x'\" /dev/null", /inner:$/m);
      await asked("passwd", /assword: ?$/m);
      await asked("su root -c true", /assword: ?$/m);
      if (sshd !== null) {
        // A backslash in each, which is gone from the prompt: the command itself is no prompt.
        const far = `ssh ${sshd.sshArgs.join(" ")} -tt 127.0.0.1`;
        await asked(`${far} "bash -c 'read -sp far-re\\ad: x'"`, /far-read:$/m);
        await asked(`${far} "sudo -p far-su\\do: true"`, /far-sudo:$/m, true);
        await asked(`script -qc "sudo -p inner-su\\do: true" /dev/null`, /inner-sudo:$/m, true);
        await asked(`${far} "script -qc 'sudo -p bo\\th: true' /dev/null"`, /both:$/m, true);
        await asked("tmux -f /dev/null new-session 'sudo -p deep-su\\do: true'", /deep-sudo:/, true);
      }
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
  }, 150_000);

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

  test("that is required does not outlive its recorder, and what there was of it is stored as cut", async () => {
    await record("required");
    const run = (command: string) => device.ssh([`${account.name}@web1`, command]);
    await lab.until("one is required", async () => {
      await run("true");
      return (await list()).some(({ mode, status }) => mode === "required" && status === "complete");
    });
    const known = new Set((await list()).map(({ id }) => id));
    const shown = terminal("echo be''gun; while :; do sleep 0.1; done");
    await shown.expect(/begun/);
    const isNew = ({ id }: Recording): boolean => !known.has(id);
    await lab.until("that is stored", async () => (await list()).find((one) => isNew(one) && one.chunks > 1));
    await setUp.agent.kill();
    expect(await shown.end()).not.toBe(0);
    await lab.until("nothing of it is left", async () => alivePids(account).length === 0);
    await setUp.agent.up();
    const cut = await lab.until("it is stored", async () =>
      (await list()).find((one) => isNew(one) && one.status !== "running"),
    );
    expect(cut).toMatchObject({ mode: "required", status: "cut", why: "agent_stopped" });
    expect(await castOf(cut)).toContain("begun");
    expect(await run("echo again")).toMatchObject({ exitCode: 0, stdout: "again\n" });
  }, 90_000);
});
