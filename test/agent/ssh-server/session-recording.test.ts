/** Sessions under a recording, as ssh(1) sees them, while management takes it and while it does not. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import {
  closeSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  rmSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { generateX25519Identity, identityToRecipient } from "age-encryption";
import { UNENCRYPTED_HINT } from "../../../src/policy/sentences.ts";
import { CastReader } from "../../../src/recording/cast.ts";
import { bytesOfText } from "../../../src/recording/exact-text.ts";
import type { SshCapabilities } from "../../../src/wire/policy.ts";
import { type OpenSsh, openSshClient } from "../../support/openssh-client.ts";
import { isRoot, OsAccount } from "../../support/os-accounts.ts";
import { aRule } from "../../support/policy.ts";
import { alivePids } from "../../support/processes.ts";
import { aRecorder } from "../../support/recorder.ts";
import type { TakingManagement } from "../../support/recording.ts";
import { openTestSshServer, type TestSshServer } from "../../support/ssh-server-context.ts";
import { until } from "../../support/until.ts";

const hasSsh = Bun.which("ssh") !== null;
/** A busy machine has its time, but where a test shortens it. */
const PATIENT = { bytesMax: 1_000_000, heldAfterMs: 20_000, failedAfterMs: 40_000 };

describe.skipIf(!isRoot || !hasSsh)("a recorded session of ssh(1)", () => {
  let world: TestSshServer;
  let account: OsAccount;
  let client: OpenSsh;
  let management: TakingManagement;
  const limits = { ...PATIENT };
  let recipients: string[] = [];
  let mayWait = false;
  /** The spool, on a disk of its own where one may be mounted here. */
  const spool = mkdtempSync(join(tmpdir(), "qf-spool-"));
  let isSmall = false;
  beforeAll(async () => {
    const mounting = Bun.spawnSync(["mount", "-t", "tmpfs", "-o", "size=1m,mode=700", "tmpfs", spool]);
    isSmall = mounting.exitCode === 0;
    const options = { limits, directory: spool, recipients: () => recipients, mayWait: () => mayWait };
    const made = aRecorder(options, { isKept: true });
    management = made.management;
    world = await openTestSshServer({ recorder: made.recorder });
    account = new OsAccount("srec");
    client = openSshClient(world, await world.issue());
  });
  afterAll(async () => {
    client.remove();
    await world.close();
    account[Symbol.dispose]();
    if (isSmall) Bun.spawnSync(["umount", "--lazy", spool]);
    rmSync(spool, { recursive: true, force: true });
  });
  beforeEach(() => {
    management.reset();
    Object.assign(limits, PATIENT);
    [recipients, mayWait] = [[], false];
    rmSync(join(account.home, "begun"), { force: true });
    world.flags = { ...world.flags, recording: true };
    world.events.length = 0;
  });
  const grant = (capabilities: SshCapabilities): void => {
    const rule = aRule("rule", ["devs"], "full", { capabilities });
    world.map = { ...world.map, rules: { [rule.id]: rule } };
  };
  const run = (command: string, options?: Parameters<OpenSsh["run"]>[2]) =>
    client.run(account.name, [command], options);
  /** Runs `command`, and comes back once that has begun. */
  const begin = async (command: string) => {
    const begun = join(account.home, "begun");
    const running = run(`touch ${begun}; ${command}`);
    await until("it has begun", () => existsSync(begun));
    return { running };
  };
  const recorded = (code: "o" | "i"): string =>
    Buffer.concat(
      new CastReader()
        .read(management.text)
        .flatMap((event) => (event[1] === code ? [bytesOfText(event[2])] : [])),
    ).toString("latin1");

  test.each(["best_effort", "required"] as const)(
    "%s records what it shows, and says so in a line",
    async (record) => {
      grant({ record });
      const result = await run("echo out; echo err >&2; printf '\\377'; exit 7");
      expect(result.status).toBe(7);
      expect(result.stdout.startsWith("out\n")).toBe(true);
      expect(result.stderr.split("\n").slice(1)).toEqual(["err", ""]);
      await until("it is stored", () => management.end !== undefined);
      expect([...recorded("o")].sort().join("")).toBe([..."out\nerr\n\u00ff"].sort().join(""));
      const types = world.events.map(({ type }) => type).filter((type) => type.startsWith("recording."));
      expect(types).toEqual(["recording.start", "recording.chunks", "recording.end"]);
    },
  );

  test("off records nothing", async () => {
    grant({ record: "off" });
    expect(await run("echo out")).toMatchObject({ status: 0, stderr: "" });
    expect(management.chunks).toEqual([]);
  });

  test("best_effort goes on while management takes nothing", async () => {
    grant({ record: "best_effort" });
    for (const says of ["away", "refused"] as const) {
      management.says = says;
      expect(await run("head -c 3000000 /dev/zero | wc -c; yes | head -c 3000000 | tail -c 2")).toMatchObject(
        {
          status: 0,
          stdout: "3000000\ny\n",
        },
      );
    }
  });

  test("required begins nothing while its header cannot be stored, and exits with 254", async () => {
    grant({ record: "required" });
    management.says = "refused";
    const mark = `touch ${account.home}/ran`;
    expect(await run(`${mark}; echo out`)).toMatchObject({ status: 254, stdout: "" });
    management.reset();
    expect(await run("ls")).toMatchObject({ status: 0, stdout: "" });
    const ends = world.eventsOf("session.end").map(({ exitStatus }) => exitStatus);
    expect(ends).toEqual([254, 0]);
  });

  test.each(["away", "refused", "full", "unavailable"] as const)(
    "required ends with 254 when management says %s in the middle, with every program of it",
    async (says) => {
      grant({ record: "required" });
      const left = "nohup setsid sleep 5471 >/dev/null 2>&1 & trap '' HUP TERM";
      const { running } = await begin(`${left}; while :; do echo on; sleep 0.05; done`);
      Object.assign(limits, { heldAfterMs: 100, failedAfterMs: 400 });
      management.says = says;
      const result = await running;
      expect(result.status).toBe(254);
      await until("nothing is left", () => alivePids(account).length === 0);
    },
  );

  /** Links the spool's files elsewhere on its disk: an upload that removes one then frees no room. */
  function pinInto(folder: string): void {
    const files = readdirSync(spool, { recursive: true, withFileTypes: true }).filter((entry) =>
      entry.isFile(),
    );
    mkdirSync(folder);
    for (const [index, { parentPath, name }] of files.entries()) {
      try {
        linkSync(join(parentPath, name), join(folder, String(index)));
      } catch (cause) {
        expect((cause as NodeJS.ErrnoException).code).toBe("ENOENT"); // Removed, before the disk is full.
      }
    }
  }

  /** Takes all room of the spool's disk while `work` runs. */
  async function whileFull<T>(work: () => Promise<T>): Promise<T> {
    const folder = join(spool, "pinned");
    pinInto(folder);
    const path = join(folder, "filled");
    const fd = openSync(path, "w");
    try {
      for (;;) writeSync(fd, Buffer.alloc(4_096));
    } catch (cause) {
      expect((cause as NodeJS.ErrnoException).code).toBe("ENOSPC");
    } finally {
      closeSync(fd);
    }
    try {
      return await work();
    } finally {
      rmSync(folder, { recursive: true });
    }
  }
  const noDisk = (): boolean => {
    if (!isSmall) process.stderr.write("skipped: no tmpfs may be mounted here\n");
    return !isSmall;
  };

  test("a full disk: required begins nothing, ends what runs, and says so in a line", async () => {
    if (noDisk()) return;
    grant({ record: "required" });
    const refused = await whileFull(() => run("echo never"));
    expect(refused).toMatchObject({ status: 254, stdout: "" });
    expect(refused.stderr.trim().split("\n")).toHaveLength(1);
    world.events.length = 0;
    // More than is left in the last page of its file.
    const { running } = await begin(
      "trap '' HUP TERM; while :; do head -c 9000 /dev/urandom; sleep 0.05; done",
    );
    const ended = await whileFull(() => running);
    expect(ended.status).toBe(254);
    const [, ...lines] = ended.stderr.trim().split("\n");
    expect(lines).toEqual(["This session must be recorded and no longer can be; it has been ended"]);
    await until("nothing is left", () => alivePids(account).length === 0);
    expect(world.eventsOf("recording.end")).toMatchObject([{ status: "cut", why: "failed" }]);
    expect(await run("echo again")).toMatchObject({ status: 0, stdout: "again\n" });
  });

  test("a full disk: best_effort goes on, also where it fills up in the middle, and its recording is cut", async () => {
    if (noDisk()) return;
    grant({ record: "best_effort" });
    expect(await whileFull(() => run("echo out"))).toMatchObject({ status: 0, stdout: "out\n" });
    management.reset();
    world.events.length = 0;
    const go = join(account.home, "go");
    const { running } = await begin(
      `until [ -e ${go} ]; do sleep 0.05; done; head -c 300000 /dev/urandom | base64 -w0`,
    );
    expect(world.eventsOf("recording.start")).toHaveLength(1);
    const result = await whileFull(async () => {
      writeFileSync(go, "");
      return running;
    });
    expect([result.status, result.stdout.length]).toEqual([0, 400_000]);
    await until("its end", () => world.eventsOf("recording.end").length === 1);
    expect(world.eventsOf("recording.end")).toMatchObject([{ status: "cut", why: "failed" }]);
  });

  test("required runs while management is away only where root lets it wait, and says so", async () => {
    grant({ record: "required" });
    mayWait = true;
    management.says = "away";
    const kept = await run("echo out");
    expect(kept).toMatchObject({ status: 0, stdout: "out\n" });
    expect(kept.stderr.trim().split("\n")).toHaveLength(2);
    management.says = null;
    await until("it is stored", () => management.end?.status === "complete");
  });

  test("a rule that keeps everything that is typed lets in only where that is encrypted", async () => {
    grant({ record: "required", record_input: "all" });
    const denied = await run("cat", { stdin: "typed" });
    expect(denied).toMatchObject({ status: 254, stdout: "" });
    expect(denied.stderr).toContain(UNENCRYPTED_HINT);
    recipients = [await identityToRecipient(await generateX25519Identity())];
    const { status, stdout, stderr } = await run("cat", { stdin: "typed" });
    expect([status, stdout]).toEqual([0, "typed"]);
    expect(stderr).toContain("passwords too");
  });

  test("required leaves no program behind that goes on unseen", async () => {
    grant({ record: "required" });
    await run("nohup setsid sleep 54999 >/dev/null 2>&1 & until pgrep -u $USER -x sleep; do :; done");
    await until("nothing is left", () => alivePids(account).length === 0);
  });

  test("required records standard input, and files both ways", async () => {
    grant({ record: "required" });
    expect(await run("cat >/dev/null", { stdin: "typed\u00e9" })).toMatchObject({ status: 0 });
    await until("it is stored", () => management.end !== undefined);
    expect(Buffer.from(recorded("i"), "latin1").toString()).toBe("typed\u00e9");
  });

  test("required refuses forwards and the agent, and a rule that comes to require it ends what is not", async () => {
    grant({ record: "required", agent_forwarding: true });
    const forwarded = await client.run(account.name, ["true"], {
      flags: ["-W", `127.0.0.1:${world.port}`],
    });
    expect(forwarded.stdout).toBe("");
    const denied = world.eventsOf("decision").flatMap(({ decision }) => decision.reason ?? []);
    expect(denied).toContain("not_recordable");
    grant({ record: "best_effort" });
    const running = run("sleep 54888");
    await until("it runs", () => alivePids(account).length > 0);
    world.change((map) => {
      const rule = aRule("rule", ["devs"], "full", { capabilities: { record: "required" } });
      return { ...map, rules: { [rule.id]: rule } };
    });
    expect((await running).status).not.toBe(0);
    await until("it was ended for that", () =>
      world.eventsOf("connection.close").some(({ reason }) => reason === "recording_unavailable"),
    );
    await until("nothing is left", () => alivePids(account).length === 0);
  });
});
