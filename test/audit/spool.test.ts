import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openSpool } from "../../src/audit/spool.ts";
import type { Spool, SpoolOptions } from "../../src/audit/spool-contract.ts";
import { isQfError } from "../../src/base/errors.ts";
import { silentLog } from "../../src/base/log.ts";
import type { AgentEventBody } from "../../src/wire/audit-event.ts";
import { FakeClock } from "../support/fake-clock.ts";

const WRITER = join(import.meta.dir, "..", "support", "spool-writer.ts");
let directory: string;
const spools: Spool[] = [];
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "qf-spool-"));
});
afterEach(async () => {
  for (const spool of spools.splice(0)) await spool.close();
  await rm(directory, { recursive: true });
});

async function open(change: Partial<SpoolOptions> = {}) {
  const options = { directory, clock: new FakeClock(), log: silentLog, ...change };
  const opened = await openSpool(options);
  spools.push(opened.spool);
  return opened;
}

async function reopen(spool: Spool, change: Partial<SpoolOptions> = {}) {
  spools.splice(spools.indexOf(spool), 1);
  await spool.close();
  return await open(change);
}

function anEvent(detail: string): AgentEventBody {
  return { type: "agent.state", what: "started", detail };
}

const failed: AgentEventBody = {
  type: "auth.failed",
  sourceAddress: "192.0.2.1",
  devicePeerId: null,
  reason: "certificate_invalid",
  count: 1,
};

async function details(spool: Spool, fromSeq = 1): Promise<string[]> {
  const events = await spool.pending(fromSeq, 1000);
  return events.map(({ seq, body }) => `${seq} ${body.type === "agent.state" ? body.detail : body.type}`);
}

describe("record", () => {
  test("numbers events from 1 and keeps them over a restart", async () => {
    const { spool } = await open();
    await spool.record(anEvent("a"));
    await spool.record(anEvent("b"));
    expect(await details(spool)).toEqual(["1 a", "2 b"]);
    const { spool: again } = await reopen(spool);
    await again.record(anEvent("c"));
    expect(await details(again)).toEqual(["1 a", "2 b", "3 c"]);
  });

  test("has written the event when it resolves", async () => {
    const { spool } = await open();
    await spool.record(anEvent("a"));
    expect(await readFile(join(directory, "0000000000000001.jsonl"), "utf8")).toContain('"detail":"a"');
  });

  test("keeps the order of many at once", async () => {
    const { spool } = await open();
    const names = Array.from({ length: 200 }, (_, i) => `e${i}`);
    await Promise.all(names.map((name) => spool.record(anEvent(name))));
    expect(await details(spool)).toEqual(names.map((name, i) => `${i + 1} ${name}`));
  });

  test("refuses an event that is not of a known form", async () => {
    const { spool } = await open();
    const wrong = { type: "agent.state", what: "exploded", detail: "" } as unknown as AgentEventBody;
    const failure = await spool.record(wrong).catch((error: unknown) => error);
    expect(isQfError(failure, "ERR_UNAVAILABLE")).toBe(true);
    expect(spool.nextUnacknowledged).toBe(1);
  });

  test("says no when the spool is full, and strangers reach that earlier", async () => {
    const { spool } = await open({ bytesMax: 4_000 });
    const isFull = async (body: AgentEventBody) =>
      isQfError(await spool.record(body).catch((error: unknown) => error), "ERR_UNAVAILABLE");
    const fill = async (body: AgentEventBody) => {
      for (let stored = 0; !(await isFull(body)); stored++) expect(stored).toBeLessThan(1_000);
    };
    await fill(failed);
    expect(await isFull(anEvent("an admitted person"))).toBe(false);
    await fill(anEvent("x"));
    expect(await isFull(anEvent("x"))).toBe(true);
  });

  test("keeps room for who is let in, however often others are refused", async () => {
    const { spool } = await open({ bytesMax: 8_000 });
    let people = 0;
    const decision = (outcome: "allow" | "deny"): AgentEventBody => ({
      type: "decision",
      connectionId: "c".repeat(20),
      request: {
        userId: `${people++}`.padStart(20, "u"),
        devicePeerId: null,
        targetPeerId: "t".repeat(20),
        localUser: "deploy",
        action: { kind: "connect" },
        atSeconds: 1,
      },
      decision: {
        outcome,
        reason: outcome === "deny" ? "local_user_unmapped" : null,
        ruleId: null,
        trace: [],
      },
      receipt: null,
      binding: "idp",
      sourceAddress: "192.0.2.1",
    });
    const isStored = (body: AgentEventBody) =>
      spool.record(body).then(
        () => true,
        () => false,
      );
    const opened: AgentEventBody = {
      type: "sftp.operations",
      connectionId: "a".repeat(20),
      sessionId: 0,
      operations: [{ number: 1, op: "open", path: "/etc/motd", detail: "read", status: "ok" }],
    };
    expect(await isStored(opened)).toBe(true);
    let denials = 0;
    while (denials < 1_000 && (await isStored(decision("deny")))) denials += 1;
    expect(denials).toBeGreaterThan(5);
    expect(await isStored(failed)).toBe(false);
    expect(await isStored(opened)).toBe(false);
    expect(await isStored(decision("allow"))).toBe(true);
    expect(await isStored(anEvent("a"))).toBe(true);
  });

  describe("of one person's many events", () => {
    const started = (userId: string | null, connectionId = "c"): AgentEventBody => ({
      type: "session.start",
      connectionId: connectionId.repeat(20),
      userId: userId?.repeat(20) ?? null,
      sessionId: 0,
      kind: "exec",
      command: "x".repeat(1_000),
      argv: null,
      pty: false,
    });
    const opened = (peerId: string, connectionId: string): AgentEventBody => ({
      type: "connection.open",
      connectionId: connectionId.repeat(20),
      userId: null,
      devicePeerId: peerId.repeat(20),
      localUser: "deploy",
      path: "direct",
      sourceAddress: "192.0.2.1",
      clientVersion: "SSH-2.0-x",
      certificateSerial: null,
      ruleId: null,
    });
    const ended: AgentEventBody = {
      type: "session.end",
      connectionId: "c".repeat(20),
      userId: "m".repeat(20),
      sessionId: 0,
      exitStatus: 0,
      signal: null,
      durationMs: 1,
    };
    async function fill(spool: Spool, body: AgentEventBody): Promise<number> {
      for (let stored = 0; ; stored++) {
        const failure = await spool.record(body).catch((error: unknown) => error);
        expect(stored).toBeLessThan(1_000);
        if (failure === undefined) continue;
        expect(isQfError(failure, "ERR_TOO_MANY")).toBe(true);
        return stored;
      }
    }

    test("no more is stored than others can do with, but what has begun may end", async () => {
      const { spool } = await open({ bytesMax: 40_000 });
      expect(await fill(spool, started("m"))).toBeGreaterThan(5);
      for (const other of ["a", "b", "d", "e"]) expect(await fill(spool, started(other))).toBeGreaterThan(2);
      expect(await fill(spool, started("m"))).toBe(0);
      await spool.record(ended);
    });

    test("as much counts after a restart, and nothing once management has it", async () => {
      const { spool } = await open({ bytesMax: 40_000, segmentBytesMax: 500 });
      const stored = await fill(spool, started("m"));
      const { spool: again } = await reopen(spool, { bytesMax: 40_000, segmentBytesMax: 500 });
      expect(await fill(again, started("m"))).toBe(0);
      await again.record(started("a"));
      await again.acknowledge(stored + 1);
      expect(await fill(again, started("m"))).toBeGreaterThan(5);
    });

    test("a peer that comes without a person has its own, whatever connection it is", async () => {
      const { spool } = await open({ bytesMax: 40_000 });
      for (const connection of ["c", "d"]) await spool.record(opened("m", connection));
      await spool.record(opened("a", "e"));
      await fill(spool, started(null, "c"));
      expect(await fill(spool, started(null, "d"))).toBe(0);
      await spool.record(started(null, "e"));
    });
  });

  test("has room again once management has what was stored", async () => {
    const { spool } = await open({ bytesMax: 4_000, segmentBytesMax: 500 });
    let stored = 0;
    try {
      while (stored < 1_000) {
        await spool.record(anEvent("x"));
        stored += 1;
      }
    } catch {}
    await spool.acknowledge(stored);
    await spool.record(anEvent("again"));
    expect(await details(spool, stored + 1)).toEqual([`${stored + 1} again`]);
  });

  test.skipIf(process.platform !== "linux")(
    "says no when the disk is full, and leaves no part of a line",
    async () => {
      const result = Bun.spawnSync([
        "bash",
        "-c",
        `ulimit -f 1; exec "$0" "$1" "$2"`,
        process.execPath,
        WRITER,
        directory,
      ]);
      expect(result.stdout.toString()).toContain("ERR_UNAVAILABLE");
      const { spool, damage } = await open();
      expect(damage).toEqual({ cutBytes: 0, setAside: [] });
      expect((await details(spool)).length).toBe(Number(result.stdout.toString().split("\n").at(-3)));
    },
  );
});

describe("acknowledge", () => {
  test("deletes whole segments and keeps the count when all are gone", async () => {
    const { spool } = await open({ segmentBytesMax: 200 });
    for (let i = 0; i < 10; i++) await spool.record(anEvent(`e${i}`));
    expect((await readdir(directory)).length).toBeGreaterThan(3);
    await spool.acknowledge(10);
    expect(await readdir(directory)).toHaveLength(1);
    const { spool: again } = await reopen(spool);
    await again.record(anEvent("next"));
    expect(await details(again)).toContain("11 next");
  });

  test("leaves what is not acknowledged", async () => {
    const { spool } = await open({ segmentBytesMax: 200 });
    for (let i = 1; i <= 10; i++) await spool.record(anEvent(`e${i}`));
    await spool.acknowledge(6);
    expect((await details(spool))[0]).toBe("7 e7");
    const { spool: again } = await reopen(spool);
    expect(await details(again)).toContain("7 e7");
  });

  test("begins anew behind a number it has not given out", async () => {
    const { spool } = await open();
    await spool.record(anEvent("a"));
    await spool.acknowledge(40);
    expect(await details(spool)).toEqual([
      "41 a",
      "42 audit spool: begun anew behind 40, which management already has",
    ]);
    const { spool: again } = await reopen(spool);
    await again.record(anEvent("b"));
    expect(await details(again)).toContain("43 b");
  });
});

describe("pending", () => {
  test("gives at most as many and as much as asked for, and at least one", async () => {
    const { spool } = await open();
    for (let i = 0; i < 10; i++) await spool.record(anEvent("x".repeat(400)));
    expect(await spool.pending(1, 3)).toHaveLength(3);
    expect(await spool.pending(4, 100, 1_100)).toHaveLength(2);
    expect(await spool.pending(4, 100, 1)).toHaveLength(1);
    expect(await spool.pending(11, 100)).toEqual([]);
  });

  test("reads from disk what is no longer in memory, from any number and no more than asked for", async () => {
    const { spool } = await open();
    for (let burst = 0; burst < 3; burst++) {
      await Promise.all(Array.from({ length: 1000 }, (_, i) => spool.record(anEvent(`${burst} ${i}`))));
    }
    const seqs = async (from: number, max: number) => (await spool.pending(from, max)).map(({ seq }) => seq);
    expect(await seqs(1, 2)).toEqual([1, 2]);
    expect(await seqs(700, 3)).toEqual([700, 701, 702]);
    expect(await seqs(2999, 5)).toEqual([2999, 3000]);
  });
});

describe("openSpool", () => {
  const file = () => join(directory, "0000000000000001.jsonl");

  test("cuts off an unfinished last line and reports it", async () => {
    const { spool } = await open();
    await spool.record(anEvent("a"));
    await spool.record(anEvent("b"));
    const whole = await readFile(file());
    const { damage, spool: again } = await reopen(spool).then(async (opened) => {
      spools.splice(spools.indexOf(opened.spool), 1);
      await opened.spool.close();
      await writeFile(file(), whole.subarray(0, whole.length - 7));
      return await open();
    });
    expect(damage.cutBytes).toBeGreaterThan(0);
    const [first, second] = await details(again);
    expect(first).toBe("1 a");
    expect(second).toStartWith("2 audit spool: ");
  });

  test("sets a damaged file aside by name, keeps what is whole, and reuses no number", async () => {
    const { spool } = await open();
    for (const name of ["a", "b", "c"]) await spool.record(anEvent(name));
    spools.splice(0);
    await spool.close();
    await writeFile(file(), (await readFile(file(), "utf8")).replace('"detail":"b"', '"detail":'));
    const { damage, spool: again } = await open();
    expect(damage.setAside).toHaveLength(1);
    expect(await readFile(damage.setAside[0] ?? "", "utf8")).toContain('"detail":}');
    const found = await details(again);
    expect(found.slice(0, 2)).toEqual(["1 a", "3 c"]);
    expect(found[2]).toStartWith("4 audit spool: ");
  });

  test("counts on behind a file of which nothing reads", async () => {
    await writeFile(file(), "\0\0\0\n\0\0\n");
    const { spool } = await open();
    expect((await details(spool))[0]).toStartWith("3 ");
  });
});

test("kill -9 loses no event that was stored, gives no number twice, and leaves no gap", async () => {
  let acknowledged = 0;
  for (let round = 0; round < 3; round++) {
    const writer = Bun.spawn([process.execPath, WRITER, directory], { stdout: "pipe" });
    let text = "";
    for await (const chunk of writer.stdout) {
      text += Buffer.from(chunk).toString();
      if (text.split("\n").length > 12 * (round + 1)) writer.kill("SIGKILL");
    }
    await writer.exited;
    const lines = text.split("\n").slice(0, -1);
    acknowledged = Math.max(acknowledged, ...lines.map(Number));
  }
  expect(acknowledged).toBeGreaterThan(30);
  const { spool } = await open();
  const seqs: number[] = [];
  for (;;) {
    const events = await spool.pending((seqs.at(-1) ?? 0) + 1, 1000);
    if (events.length === 0) break;
    seqs.push(...events.map(({ seq }) => seq));
  }
  expect(seqs.length).toBeGreaterThanOrEqual(acknowledged);
  expect(seqs).toEqual(seqs.map((_, i) => i + 1));
});
