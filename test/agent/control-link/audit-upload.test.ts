import { afterEach, expect, test } from "bun:test";
import { type AuditUpload, createAuditUpload } from "../../../src/agent/control-link/audit-upload.ts";
import { silentLog } from "../../../src/base/log.ts";
import type { AgentEvent } from "../../../src/wire/audit-event.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { until } from "../../support/until.ts";

/** A spool in memory: nothing of it waits, so that a test needs no time to pass. */
class MemorySpool {
  readonly #listeners = new Set<() => void>();
  #stored = 0;
  #acknowledged = 0;

  get nextUnacknowledged(): number {
    return this.#acknowledged + 1;
  }

  state() {
    const events = this.#stored - this.#acknowledged;
    return { events, bytes: 0, bytesMax: 1, isBroken: false, isFailing: false };
  }

  async pending(fromSeq: number, max: number): Promise<AgentEvent[]> {
    const count = Math.min(max, this.#stored - fromSeq + 1);
    return Array.from({ length: count }, (_, i) => anEvent(fromSeq + i));
  }

  async acknowledge(seq: number): Promise<void> {
    this.#acknowledged = seq;
  }

  readonly firstStored = 1;
  hold(): void {}
  async release(): Promise<void> {}
  rewind(): void {}

  async stored(fromSeq: number, max: number): Promise<AgentEvent[]> {
    return this.pending(fromSeq, max);
  }

  onStored(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async record(): Promise<void> {
    this.store(1);
  }

  async close(): Promise<void> {}

  store(count: number): void {
    this.#stored += count;
    for (const listener of this.#listeners) listener();
  }
}

function anEvent(seq: number): AgentEvent {
  return { seq, atMs: 0, body: { type: "agent.state", what: "started", detail: "" } };
}

const uploads: AuditUpload[] = [];
afterEach(() => {
  for (const upload of uploads.splice(0)) upload.close();
});

function open() {
  const spool = new MemorySpool();
  const clock = new FakeClock();
  const upload = createAuditUpload({ spool, clock, log: silentLog });
  uploads.push(upload);
  /** First and last number of each batch. */
  const sent: string[] = [];
  const send = ({ events }: { events: AgentEvent[] }) =>
    void sent.push(`${events[0]?.seq}-${events.at(-1)?.seq}`);
  upload.start(send, null);
  return { spool, upload, sent, send, clock };
}

/** Whatever promises still have to say; no timer runs meanwhile. */
async function settle(): Promise<void> {
  for (let i = 0; i < 5; i++) await new Promise((resolve) => setImmediate(resolve));
}

/** Until as many batches have gone. */
async function batches(sent: readonly string[], count: number): Promise<void> {
  await until(`${count} batches`, () => (sent.length >= count ? sent : null));
}

test("a lone event goes after a moment", async () => {
  const { spool, sent } = open();
  await settle();
  spool.store(1);
  await settle();
  expect(sent).toEqual([]);
  await batches(sent, 1);
  expect(sent).toEqual(["1-1"]);
});

test("what comes within the moment goes together", async () => {
  const { spool, sent } = open();
  await settle();
  for (let i = 0; i < 4; i++) {
    spool.store(1);
    await settle();
  }
  expect(sent).toEqual([]);
  await batches(sent, 1);
  expect(sent).toEqual(["1-4"]);
});

test("a batch waits for the answer to the one before it", async () => {
  const { spool, upload, sent } = open();
  await settle();
  spool.store(1);
  await batches(sent, 1);
  spool.store(1);
  await Bun.sleep(250);
  expect(sent).toEqual(["1-1"]);
  await upload.acknowledge(1);
  await settle();
  expect(sent).toEqual(["1-1", "2-2"]);
});

test("batches keep a distance, in which what is stored goes together", async () => {
  const { spool, upload, sent, clock } = open();
  await settle();
  spool.store(1);
  await batches(sent, 1);
  await upload.acknowledge(1);
  clock.advanceMs(50);
  const storedAtMs = performance.now();
  spool.store(1);
  await settle();
  spool.store(1);
  await batches(sent, 2);
  expect(sent).toEqual(["1-1", "2-3"]);
  expect(performance.now() - storedAtMs).toBeGreaterThan(140);
});

test("a batch that would be full keeps no distance", async () => {
  const { spool, upload, sent } = open();
  await settle();
  spool.store(1);
  await batches(sent, 1);
  await upload.acknowledge(1);
  spool.store(255);
  await settle();
  expect(sent).toEqual(["1-1"]);
  spool.store(1);
  await settle();
  expect(sent).toEqual(["1-1", "2-257"]);
});

test("a backlog of more than a batch does not wait", async () => {
  const { spool, upload, sent } = open();
  await settle();
  spool.store(600);
  await settle();
  await upload.acknowledge(256);
  await settle();
  expect(sent).toEqual(["1-256", "257-512"]);
});

test("a new link gets what is not acknowledged at once", async () => {
  const { spool, upload, sent, send } = open();
  await settle();
  spool.store(2);
  await batches(sent, 1);
  upload.stop();
  upload.start(send, null);
  await settle();
  expect(sent).toEqual(["1-2", "1-2"]);
});
