/** Management and an agent's witness, without sockets: batches, proofs, and a management that lies. */
import { beforeEach, describe, expect, test } from "bun:test";
import { nextSigned } from "../../../src/agent/control-link/audit-batches.ts";
import { LogLink } from "../../../src/agent/control-link/log-link.ts";
import { LogWitness } from "../../../src/agent/control-link/log-witness.ts";
import { BatchJournal } from "../../../src/audit/batch-journal.ts";
import { generateEd25519 } from "../../../src/base/ed25519.ts";
import { silentLog } from "../../../src/base/log.ts";
import { BundleVerifier } from "../../../src/log/verify-bundle.ts";
import type { AccountLogs } from "../../../src/management/contracts/account-logs.ts";
import { putMeta } from "../../../src/management/db/tables/accounts.ts";
import { appendEvents, systemInitiator } from "../../../src/management/db/tables/audit-events.ts";
import { peerKeyEvent } from "../../../src/management/db/tables/new-peer.ts";
import { createAccountLogs } from "../../../src/management/log/account-logs.ts";
import { bundleHeader, bundleLines } from "../../../src/management/log/bundle.ts";
import { lostTails } from "../../../src/management/log/lost-tail.ts";
import { rotate } from "../../../src/management/rotate-log-key.ts";
import { AuditIntake } from "../../../src/management/sync/audit-intake.ts";
import { LogFeed } from "../../../src/management/sync/log-feed.ts";
import type { AgentMessage, ManagementMessage } from "../../../src/wire/agent-sync.ts";
import type { LogWitnessFile } from "../../../src/wire/log-witness.ts";
import { aManagement, anAccount, aPeerOf, ORIGIN, type TestManagement } from "../../support/management.ts";
import { anEvent, aSpool } from "../../support/spool.ts";
import { tempFolder } from "../../support/temp-folder.ts";

const MASTER_KEY = new Uint8Array(32).fill(7);
let management: TestManagement & { logs: AccountLogs };
let accountId: string;
beforeEach(async () => {
  management = aManagement();
  accountId = (await anAccount(management.store)).accountId;
  await management.logs.begin(accountId);
});

/** A machine with its spool, and both ends of its link. `log`: of the management that it is linked to. */
async function aMachine(at: TestManagement = management) {
  const deviceKey = generateEd25519();
  const peer = await aPeerOf(at.store, accountId, { deviceKey: deviceKey.publicKey });
  const directory = tempFolder();
  const spool = await aSpool(directory, { segmentBytesMax: 200 });
  const journal = await BatchJournal.open(directory);
  const alerts: string[] = [];
  const saved: LogWitnessFile[] = [];
  const witness = new LogWitness({
    clock: at.clock,
    log: silentLog,
    stored: undefined,
    save: async (file) => void saved.push(file),
    alert: (sentence) => void alerts.push(sentence),
    report: () => {},
  });
  const enrolled = {
    accountId,
    peerId: peer.id,
    origin: ORIGIN,
    name: "web1",
    domain: "d",
    address: "100.64.0.1",
  };
  const toManagement: AgentMessage[] = [];
  const toAgent: ManagementMessage[] = [];
  const link = new LogLink({
    witness,
    journal,
    spool,
    deviceKey,
    enrolled,
    clock: at.clock,
    send: (message) => void toManagement.push(message),
  });
  const feed = new LogFeed(at, { lookMs: 3_600_000 });
  const intake = new AuditIntake(at);
  const end = {
    accountId,
    peerId: peer.id,
    name: "web1",
    refresh: () => {},
    send: (message: ManagementMessage) => void toAgent.push(message),
  };
  /** Passes messages until both are silent. */
  const settle = async () => {
    while (toManagement.length + toAgent.length > 0) {
      for (const message of toManagement.splice(0)) {
        if (message.type === "log_at" || message.type === "log_ask") await feed.take(end, message);
      }
      for (const message of toAgent.splice(0)) {
        if (message.type === "audit_ack") await spool.acknowledge(message.throughSeq);
        else if (message.type === "log" || message.type === "log_proof") await link.take(message);
      }
    }
  };
  const connect = async () => {
    await link.welcome(await at.logs.identity(accountId));
    link.ready();
    await settle();
  };
  /** Uploads what waits. */
  const upload = async () => {
    const next = await nextSigned(spool, { journal, deviceKey, enrolled });
    if (next === null) return null;
    await intake.take(end, next);
    feed.uploaded(end);
    await settle();
    return next;
  };
  /** A checkpoint is made and shown. */
  const show = async () => {
    at.clock.advanceMs(600_000);
    await at.logs.checkpoint(accountId);
    await feed.look();
    await settle();
  };
  await connect();
  return {
    peer,
    deviceKey,
    spool,
    journal,
    witness,
    alerts,
    saved,
    link,
    feed,
    intake,
    end,
    toAgent,
    upload,
    show,
    settle,
  };
}

/** As a process that starts now has them. */
const aLogs = () =>
  createAccountLogs({
    store: management.store,
    clock: management.clock,
    log: silentLog,
    origin: ORIGIN,
    masterKey: MASTER_KEY,
  });

const verified = async (at: TestManagement = management) => {
  const verifier = new BundleVerifier({ keys: await at.logs.keys(accountId), checkpoints: [] });
  verifier.line(JSON.stringify(await bundleHeader(at, accountId, {})));
  const { lines } = await at.store.read((tx) => bundleLines(tx, accountId, { after: 0, limit: 1_000 }));
  for (const { line } of lines) verifier.line(line);
  return verifier.end();
};

const grow = (at: TestManagement, count = 1) =>
  at.store.transaction((tx) =>
    appendEvents(
      tx,
      accountId,
      systemInitiator,
      Array.from({ length: count }, () => ({ activity: "login" as const, targetId: "" })),
    ),
  );

describe("a machine's events", () => {
  test("are forgotten once a checkpoint is proven to have their batch, and not before", async () => {
    const machine = await aMachine();
    for (const detail of ["a", "b", "c"]) await machine.spool.record(anEvent(detail));
    await machine.upload();
    expect(machine.spool.nextUnacknowledged).toBe(4);
    expect(machine.journal.provenThrough).toBe(0);
    expect(machine.spool.state().bytes).toBeGreaterThan(0);
    await machine.show();
    expect(machine.journal.provenThrough).toBe(3);
    expect(machine.witness.size).toBeGreaterThan(3);
    expect(machine.alerts).toEqual([]);
    expect(await verified()).toMatchObject({ findings: [], batches: { proven: 1, unproven: 0 } });
  });

  test("are kept for a while after that, for a log that loses them", async () => {
    const machine = await aMachine();
    for (let i = 0; i < 20; i++) await machine.spool.record(anEvent(`${i}`));
    await machine.upload();
    await machine.show();
    const { bytes } = machine.spool.state();
    expect(bytes).toBeLessThan(400);
    machine.spool.rewind(1);
    expect((await machine.spool.pending(1, 100)).length).toBeGreaterThan(0);
    expect(machine.spool.nextUnacknowledged).toBe(1);
  });

  test("go in the same batch when they are sent again, and are stored once", async () => {
    const machine = await aMachine();
    for (const detail of ["a", "b"]) await machine.spool.record(anEvent(detail));
    const first = await machine.upload();
    machine.spool.rewind(1);
    await machine.spool.record(anEvent("c"));
    expect(await machine.upload()).toEqual(first);
    const second = await machine.upload();
    expect(second?.batch).toMatchObject({ first_seq: 3, last_seq: 3, previous: first?.batch?.hash });
    expect(await verified()).toMatchObject({ findings: [], batches: { proven: 2, unproven: 0 } });
  });

  test("are not taken with a signature that is not over them", async () => {
    const machine = await aMachine();
    await machine.spool.record(anEvent("a"));
    const next = await nextSigned(machine.spool, {
      journal: machine.journal,
      deviceKey: generateEd25519(),
      enrolled: {
        accountId,
        peerId: machine.peer.id,
        origin: ORIGIN,
        name: "web1",
        domain: "d",
        address: "100.64.0.1",
      },
    });
    await expect(machine.intake.take(machine.end, next ?? { events: [] })).rejects.toMatchObject({
      code: "ERR_BAD_REQUEST",
    });
    const event = next?.events[0];
    const changed = event === undefined ? [] : [{ ...event, atMs: event.atMs + 1 }];
    await expect(
      machine.intake.take(machine.end, { events: changed, batch: next?.batch }),
    ).rejects.toMatchObject({ code: "ERR_BAD_REQUEST" });
  });

  test("of an older agent are taken without a batch", async () => {
    const machine = await aMachine();
    await machine.spool.record(anEvent("a"));
    await machine.intake.take(machine.end, { events: await machine.spool.pending(1, 10) });
    await machine.settle();
    expect(machine.spool.nextUnacknowledged).toBe(2);
    expect(await verified()).toMatchObject({ findings: [] });
  });
});

describe("a management that is not honest", () => {
  test("and acknowledges a batch without storing it, is not believed", async () => {
    const machine = await aMachine();
    await machine.spool.record(anEvent("a"));
    await nextSigned(machine.spool, {
      ...machine,
      enrolled: {
        accountId,
        peerId: machine.peer.id,
        origin: ORIGIN,
        name: "w",
        domain: "d",
        address: "100.64.0.1",
      },
    });
    await machine.spool.acknowledge(1);
    await machine.show();
    expect(machine.journal.provenThrough).toBe(0);
    expect(machine.spool.state().bytes).toBeGreaterThan(0);
  });

  test("and shows the leaf of another batch, or a proof that does not hold, proves nothing", async () => {
    const machine = await aMachine();
    await machine.spool.record(anEvent("a"));
    await machine.upload();
    machine.feed.remove(machine.end);
    await machine.show();
    const { note } = (await management.logs.newest(accountId)) ?? { note: "" };
    const leaf = JSON.stringify({ activity_code: "agent.batch", data: {} });
    await machine.link.take({ type: "log", note, consistency: [], batches: [{ seq: 1, leaf, proof: [] }] });
    expect(machine.journal.provenThrough).toBe(0);
  });

  test("and rewrites the log is found with the next checkpoint", async () => {
    const machine = await aMachine();
    await machine.show();
    const before = machine.witness.size;
    // The same store, with an event that is another, and the tree made anew over it.
    await management.store.transaction(async (tx) => {
      await tx.sql.update(tx.t.auditEvents).set({ targetId: "forged" });
      await tx.sql.delete(tx.t.logTiles);
      await tx.sql.delete(tx.t.logCheckpoints);
      await tx.sql.update(tx.t.logHeads).set({ size: 0, tail: [] });
    });
    await grow(management);
    await machine.show();
    expect(machine.witness.alarms.map(({ kind }) => kind)).toEqual(["forked"]);
    expect(machine.alerts).toHaveLength(1);
    expect(machine.witness.size).toBe(before);
    await grow(management);
    await machine.show();
    expect(machine.alerts.length).toBeLessThanOrEqual(2);
  });

  test("and cuts the log back is found at the next link", async () => {
    const machine = await aMachine();
    await grow(management, 5);
    await machine.show();
    const size = machine.witness.size;
    await management.store.transaction(async (tx) => {
      await tx.sql.delete(tx.t.auditEvents);
      await tx.sql.delete(tx.t.logTiles);
      await tx.sql.delete(tx.t.logCheckpoints);
      await tx.sql.update(tx.t.logHeads).set({ size: 0, tail: [] });
      await tx.sql.update(tx.t.accounts).set({ nextAuditSeq: 1 });
    });
    await grow(management, 2);
    await management.logs.checkpoint(accountId);
    machine.feed.remove(machine.end);
    machine.link.ready();
    await machine.settle();
    expect(machine.witness.alarms.map(({ kind }) => kind)).toEqual(["cut_back"]);
    expect(machine.witness.size).toBe(size);
    // Management has it from the machine, and says so itself.
    const tails = await management.store.read((tx) => lostTails(tx, accountId));
    expect(tails).toMatchObject([{ from: 3, to: size, acknowledged: null }]);
    expect((await verified()).findings.map(({ code }) => code)).toEqual(["tail_lost"]);
  });

  test("and puts an older copy back is followed once an owner has acknowledged it, and not before", async () => {
    const machine = await aMachine();
    await grow(management, 5);
    await machine.show();
    await management.store.transaction(async (tx) => {
      await tx.sql.delete(tx.t.auditEvents);
      await tx.sql.delete(tx.t.logTiles);
      await tx.sql.delete(tx.t.logCheckpoints);
      await tx.sql.update(tx.t.logHeads).set({ size: 0, tail: [] });
      await tx.sql.update(tx.t.accounts).set({ nextAuditSeq: 1 });
    });
    await grow(management, 2);
    await management.logs.checkpoint(accountId);
    const lostSize = machine.witness.size;
    machine.feed.remove(machine.end);
    machine.link.ready();
    await machine.settle();
    await machine.show();
    expect([machine.witness.size, machine.witness.alarms.length]).toEqual([lostSize, 1]);
    await management.store.transaction((tx) =>
      appendEvents(tx, accountId, { id: "o", name: "Ada", email: "" }, [
        { activity: "log.lost.acknowledge", targetId: accountId },
      ]),
    );
    await machine.show();
    const size = (await management.logs.newest(accountId))?.size ?? 0;
    expect([machine.witness.size, machine.witness.alarms]).toEqual([size, []]);
    // From here on it is a witness as ever: of what grows, and of the next thing that is cut back.
    await grow(management, 3);
    await machine.show();
    expect([machine.witness.size, machine.witness.alarms]).toEqual([size + 3, []]);
  });

  test("and signs with a new key that the old one has not vouched for is not believed", async () => {
    const machine = await aMachine();
    await machine.show();
    await machine.link.welcome({
      origin: machine.witness.identity?.origin ?? "",
      key: generateEd25519().publicKey,
    });
    expect(machine.witness.alarms.map(({ kind }) => kind)).toEqual(["other_key"]);
    await machine.spool.record(anEvent("a"));
    expect(machine.link.signer(99)).toBeNull();
  });

  test("and hands the log over to another key by the word of both is followed, also while linked", async () => {
    const machine = await aMachine();
    await machine.show();
    const before = machine.witness.identity?.key;
    await management.store.change({ accountId, initiator: systemInitiator }, (tx) =>
      rotate(tx, accountId, MASTER_KEY),
    );
    management.logs = aLogs();
    await management.logs.begin(accountId);
    await machine.show();
    expect(machine.witness.alarms).toEqual([]);
    expect(machine.witness.identity?.key).not.toBe(before as string);
    expect(machine.witness.size).toBe((await management.logs.newest(accountId))?.size as number);
    expect((await verified()).findings).toEqual([]);
    // The old key, which somebody may have stolen, signs nothing any more.
    const forged = { origin: machine.witness.identity?.origin ?? "", key: before as string };
    expect(await machine.witness.pin(forged)).toBe(false);
  });

  test("and re-enrols a machine under a key of its own is found by that machine", async () => {
    const machine = await aMachine();
    await machine.show();
    expect(machine.witness.alarms).toEqual([]);
    const theirs = generateEd25519().publicKey;
    await management.store.transaction(async (tx) => {
      const peer = { ...machine.peer, deviceKey: theirs };
      await appendEvents(tx, accountId, systemInitiator, [peerKeyEvent(peer)]);
    });
    await machine.show();
    expect(machine.witness.alarms.map(({ kind }) => kind)).toEqual(["own_key"]);
    expect((await verified()).findings.map(({ code }) => code)).toContain("peer_key_changed");
  });

  test("and rewrites the log behind a new epoch is found all the same", async () => {
    const machine = await aMachine();
    await grow(management, 3);
    await machine.show();
    await management.store.change(
      { accountId, initiator: systemInitiator, affectsMaps: true },
      async (tx) => {
        await putMeta(tx, "epoch", "1900000000");
        tx.record({ activity: "management.epoch", targetId: accountId, meta: { epoch: "1900000000" } });
        await tx.sql.update(tx.t.auditEvents).set({ targetId: "rewritten" });
        await tx.sql.delete(tx.t.logTiles);
        await tx.sql.delete(tx.t.logCheckpoints);
        await tx.sql.update(tx.t.logHeads).set({ size: 0, tail: [] });
      },
    );
    await machine.show();
    expect(machine.witness.alarms.map(({ kind }) => kind)).toEqual(["forked"]);
  });

  test("and shows two halves of the fleet different logs is found when they meet", async () => {
    const [here, there] = [await aMachine(), await aMachine()];
    await here.show();
    await there.show();
    expect(there.witness.size).toBe(here.witness.size);
    // The other half: the same log up to here, then another, under the same key.
    const forked = management.logs;
    await grow(management, 3);
    await there.show();
    const theirs = there.witness.note ?? "";
    await management.store.transaction(async (tx) => {
      await tx.sql.update(tx.t.auditEvents).set({ targetId: "other" });
      await tx.sql.delete(tx.t.logTiles);
      await tx.sql.delete(tx.t.logCheckpoints);
      await tx.sql.update(tx.t.logHeads).set({ size: 0, tail: [] });
    });
    await forked.checkpoint(accountId);
    await here.witness.meet(theirs);
    await here.settle();
    expect(here.witness.alarms.map(({ kind }) => kind)).toEqual(["forked"]);
    const stored = here.saved.at(-1)?.alarms[0];
    expect([stored?.ours, stored?.theirs]).toEqual([here.witness.note, theirs]);
  });
});

describe("checkpoints that meet", () => {
  test("of one log are no alarm, whichever is larger, and the larger one is kept", async () => {
    const [here, there] = [await aMachine(), await aMachine()];
    await here.show();
    await grow(management, 3);
    await there.show();
    const [small, large] = [here.witness.note ?? "", there.witness.note ?? ""];
    await there.witness.meet(small);
    await there.settle();
    await here.witness.meet(large);
    await here.settle();
    expect([here.witness.size, here.alerts, there.alerts]).toEqual([there.witness.size, [], []]);
  });

  test("that the log's key has not signed are no alarm", async () => {
    const here = await aMachine();
    await here.show();
    const other = createAccountLogs({ ...aManagement(), masterKey: new Uint8Array(32).fill(7) });
    expect(other).toBeDefined();
    await here.witness.meet("x");
    await here.witness.meet((here.witness.note ?? "").replace(/\n\d+\n/, "\n99\n"));
    await here.settle();
    expect(here.alerts).toEqual([]);
  });

  test("without a proof within a minute are a fork; not while management is away", async () => {
    const here = await aMachine();
    await here.show();
    const small = here.witness.note ?? "";
    await grow(management);
    await here.show();
    here.feed.remove(here.end); // Nobody answers any more.
    await here.witness.meet(small);
    await here.settle();
    here.link.end();
    management.clock.advanceMs(61_000);
    await here.witness.beat();
    expect(here.alerts).toEqual([]);
    here.witness.connect(() => {});
    await here.witness.beat();
    expect(here.witness.alarms.map(({ kind }) => kind)).toEqual(["forked"]);
  });
});
