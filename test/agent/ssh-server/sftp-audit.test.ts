/**
 * What is done with files over SFTP, as evidence: by sftp(1), as the local user, through the whole server.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { chmodSync, closeSync, existsSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openPipe } from "../../../src/agent/os/libc.ts";
import { OpenFlag, Request } from "../../../src/agent/sftp/protocol.ts";
import { SshWriter } from "../../../src/base/ssh-buffer.ts";
import { sentenceOf } from "../../../src/policy/sentences.ts";
import { AgentEventBody } from "../../../src/wire/audit-event.ts";
import type { SshCapabilities } from "../../../src/wire/policy.ts";
import { type OpenSsh, openSshClient } from "../../support/openssh-client.ts";
import { isRoot, OsAccount } from "../../support/os-accounts.ts";
import { unpaired } from "../../support/paired-events.ts";
import { aRule } from "../../support/policy.ts";
import { framed, runBatch, words } from "../../support/sftp.ts";
import { openTestSshServer, type TestSshServer } from "../../support/ssh-server-context.ts";
import { tempFolder } from "../../support/temp-folder.ts";
import { until } from "../../support/until.ts";

const BIG = Buffer.alloc(3_000_001, "0123456789abcdef_");
const sha256 = (content: Uint8Array) => createHash("sha256").update(content).digest("hex");

describe.skipIf(!isRoot || Bun.which("sftp") === null)("evidence of what sftp(1) does", () => {
  let world: TestSshServer;
  let account: OsAccount;
  let client: OpenSsh;
  beforeAll(async () => {
    world = await openTestSshServer();
    account = new OsAccount("led");
    client = openSshClient(world, await world.issue());
  });
  afterAll(async () => {
    client.remove();
    await world.close();
    account[Symbol.dispose]();
  });
  beforeEach(async () => {
    world.auditFails = false;
    // Ends that could not be stored before are stored now.
    await until("the ends", () => unpaired(world.events).length === 0);
    world.events.length = 0;
    grant({});
  });

  function grant(capabilities: SshCapabilities): void {
    const rule = aRule("rule", ["devs"], "full", { capabilities });
    world.map = { ...world.map, rules: { [rule.id]: rule } };
  }

  const serverCommand = (): string => `${client.argv(account.name, ["-s"]).join(" ")} sftp`;

  function sftp(...batch: string[]) {
    const folder = tempFolder();
    writeFileSync(join(folder, "here"), BIG);
    return runBatch({ server: serverCommand(), folder, batch });
  }

  /** All of it, once the session has ended. */
  async function operations() {
    await until("the end", () => world.eventsOf("session.end").length > 0);
    const events = world.eventsOf("sftp.operations");
    for (const event of events) AgentEventBody.parse(event);
    return events.flatMap((event) => event.operations);
  }

  const at = (name: string) => join(account.home, name);

  test("tells of each file with path, size and digest, up and down", async () => {
    expect((await sftp("put here there", "get there back")).status).toBe(0);
    const rows = await operations();
    const whole = { sizeBytes: BIG.length, sha256: sha256(BIG) };
    const [up, down] = rows.filter(({ op }) => op === "close");
    expect(rows[0]).toMatchObject({ op: "open", path: at("there"), detail: "write create truncate" });
    expect(up).toMatchObject({
      path: at("there"),
      status: "ok",
      transfer: { ...whole, bytesRead: 0, bytesWritten: BIG.length },
    });
    expect(down).toMatchObject({
      path: at("there"),
      transfer: { ...whole, bytesRead: BIG.length, bytesWritten: 0 },
    });
    expect(world.eventsOf("sftp.operations")[0]).toMatchObject({
      sessionId: 0,
      connectionId: world.eventsOf("session.start")[0]?.connectionId as string,
    });
    expect(world.events.at(-1)?.type === "sftp.operations").toBe(false);
  });

  test("tells of what takes or gives a name before it is done, and once more when it failed", async () => {
    writeFileSync(at("old"), "x");
    const batch = ["mkdir folder", "rename old new", "ln -s new link", "rm new", "-rm gone", "rmdir folder"];
    expect((await sftp(...batch)).status).toBe(0);
    const rows = (await operations()).map(({ number: _, ...row }) => row);
    expect(rows).toEqual([
      { op: "mkdir", path: at("folder"), status: "ok" },
      { op: "rename", path: at("old"), target: at("new"), status: "begun" },
      { op: "symlink", path: at("link"), target: "new", status: "begun" },
      { op: "remove", path: at("new"), status: "begun" },
      { op: "remove", path: at("gone"), status: "begun" },
      { op: "remove", path: at("gone"), status: "no_such_file" },
      { op: "rmdir", path: at("folder"), status: "begun" },
    ]);
  });

  test("a server that has gone without waiting for its last answer was no reason to say anything", async () => {
    for (let i = 0; i < 10; i++) {
      expect(await sftp(`put here last-${i}`)).toMatchObject({ status: 0, stderr: "" });
    }
    await until("the ends", () => world.eventsOf("session.end").length === 10);
    const closed = world.eventsOf("sftp.operations").flatMap(({ operations: all }) => all);
    expect(closed.filter(({ op }) => op === "close")).toHaveLength(10);
  });

  test("tells of what read-only refused", async () => {
    grant({ sftp: "read" });
    writeFileSync(at("kept"), "x");
    await sftp("-put here elsewhere", "-rm kept");
    expect(existsSync(at("kept"))).toBe(true);
    expect((await operations()).map(({ op, status }) => `${op} ${status}`)).toEqual([
      "open permission_denied",
      "remove begun",
      "remove permission_denied",
    ]);
  });

  test("a name is not taken away when that cannot be stored; the session ends and says why", async () => {
    writeFileSync(at("kept"), "x");
    // The session itself is stored, what comes after it is not.
    const started = until("the start", () => world.eventsOf("session.start").length > 0).then(() => {
      world.auditFails = "ERR_UNAVAILABLE";
    });
    const { status, stderr } = await sftp("!sleep 0.3", "rm kept");
    await started;
    expect(status).not.toBe(0);
    expect(existsSync(at("kept"))).toBe(true);
    expect(stderr).toContain(sentenceOf("audit_unavailable").sentence);
  });

  test("an upload ends soon after what was done cannot be stored", async () => {
    const started = until("the start", () => world.eventsOf("session.start").length > 0).then(() => {
      world.auditFails = "ERR_UNAVAILABLE";
    });
    const { status, stderr } = await sftp(
      "!sleep 0.3",
      ...Array.from({ length: 2_000 }, (_, i) => `put here many-${i}`),
    );
    await started;
    expect(status).not.toBe(0);
    expect(existsSync(at("many-1999"))).toBe(false);
    expect(stderr).toContain(sentenceOf("audit_unavailable").sentence);
  });

  const packet = (type: number, id: number, fields = new SshWriter()): Buffer =>
    framed(new SshWriter().uint8(type).uint32(id).raw(fields.toBuffer()).toBuffer());

  /** Packets as they come; nobody takes the answers. */
  function blind(...packets: readonly Buffer[]) {
    const answers = openPipe();
    const argv = client.argv(account.name, ["-s"]);
    const child = Bun.spawn([...argv, "sftp"], { stdin: "pipe", stdout: answers.writeFd, stderr: "ignore" });
    closeSync(answers.writeFd);
    void child.exited.then(() => closeSync(answers.readFd));
    child.stdin.write(Buffer.concat([packet(Request.init, 3), ...packets]));
    child.stdin.flush();
    return child;
  }

  test("a client that does not take its answers does not keep back what it has done", async () => {
    writeFileSync(at("secret"), BIG);
    // The first file has the first handle, whatever the client was told.
    const handle = (): SshWriter => new SshWriter().uint32(4).uint32(1);
    const part = packet(Request.read, 2, handle().uint64(0n).uint32(200_000));
    const child = blind(
      packet(Request.open, 1, words(at("secret")).uint32(OpenFlag.read).uint32(0)),
      ...Array<Buffer>(100).fill(part),
    );
    const told = () => world.eventsOf("sftp.operations").flatMap(({ operations: all }) => all);
    await until("the file", () => told().some(({ op, path }) => op === "open" && path === at("secret")));
    expect(world.eventsOf("session.end")).toHaveLength(0);
    child.kill("SIGKILL");
    await operations();
  });

  test("no file is of a size at which nothing can be told of it, nor of what was done beside it", async () => {
    const huge = `/dev/shm/${account.name}`;
    writeFileSync(huge, "");
    chmodSync(huge, 0o666);
    const handle = new SshWriter().uint32(4).uint32(1);
    const end = BigInt(Number.MAX_SAFE_INTEGER);
    const child = blind(
      packet(Request.open, 1, words(huge).uint32(OpenFlag.write).uint32(0)),
      packet(Request.write, 2, new SshWriter().raw(handle.toBuffer()).uint64(end).string(Buffer.alloc(999))),
      packet(Request.close, 3, handle),
    );
    try {
      child.stdin.end();
      expect((await operations()).map(({ op, status }) => `${op} ${status}`)).toEqual([
        "open ok",
        "close ok",
      ]);
    } finally {
      rmSync(huge);
    }
  });

  test("a copy is told of before it is made, with what was done before it", async () => {
    writeFileSync(at("secret"), BIG);
    const handle = (number: number): SshWriter => new SshWriter().uint32(4).uint32(number);
    const all = new SshWriter().uint64(0n).uint64(0n).toBuffer();
    const child = blind(
      packet(Request.open, 1, words(at("secret")).uint32(OpenFlag.read).uint32(0)),
      packet(
        Request.open,
        2,
        words(at("copied"))
          .uint32(OpenFlag.write | OpenFlag.create)
          .uint32(0),
      ),
      packet(
        Request.extended,
        3,
        words("copy-data").raw(handle(1).toBuffer()).raw(all).raw(handle(2).toBuffer()).uint64(0n),
      ),
    );
    child.stdin.end();
    const rows = (await operations()).map(({ op, status }) => `${op} ${status}`);
    expect(rows.slice(0, 3)).toEqual(["open ok", "open ok", "copy begun"]);
    expect(existsSync(at("copied"))).toBe(true);
  });

  test("a client that goes in the middle of a file leaves how far it came", async () => {
    const folder = tempFolder();
    writeFileSync(join(folder, "slow"), "");
    truncateSync(join(folder, "slow"), 100_000_000);
    const child = Bun.spawn(["sftp", "-q", "-l", "8000", "-D", serverCommand(), "-b", "-"], {
      cwd: folder,
      stdin: Buffer.from("put slow endless\n"),
      stdout: "ignore",
      stderr: "ignore",
    });
    await until("the file", () => world.eventsOf("sftp.operations").length > 0 && existsSync(at("endless")));
    child.kill("SIGKILL");
    const rows = await operations();
    expect(rows.at(-1)).toMatchObject({ op: "close", path: at("endless"), transfer: { bytesRead: 0 } });
    expect(world.events.findIndex(({ type }) => type === "session.end")).toBeGreaterThan(
      world.events.findLastIndex(({ type }) => type === "sftp.operations"),
    );
  });
});
