import { afterEach, describe, expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { silentLog } from "../../../src/base/log.ts";
import type { AdmittedDial, NotAdmitted } from "../../../src/management/relay/admission.ts";
import type { QueueSocket } from "../../../src/management/relay/send-queue.ts";
import { createStreams, type Stream } from "../../../src/management/relay/streams.ts";
import { Tunnel, type TunnelHost } from "../../../src/management/relay/tunnel.ts";
import { createSeal, type Seal } from "../../../src/management/relay/tunnel-seal.ts";
import {
  decodeRelayFrame,
  encodeRelayFrame,
  RELAY_CREDIT_INITIAL,
  RELAY_FRAME,
  resetOf,
} from "../../../src/wire/relay.ts";
import { FakeClock } from "../../support/fake-clock.ts";

const clock = new FakeClock();
const open = { hello: "h", proof: "p", sourceAddress: "192.0.2.1", sourcePort: 1 };
const admitted = { ok: true, accountId: "acc", line: "h", proof: "p", hello: { source: "s" } };
const openTunnels: Tunnel[] = [];
afterEach(() => {
  for (const tunnel of openTunnels.splice(0)) tunnel.over();
});

/** An end of a tunnel whose other end is the test. */
class End implements QueueSocket {
  readyState: number = WebSocket.OPEN;
  waitingBytes = 0;
  readonly seal: Seal;
  readonly tunnel: Tunnel;
  readonly connected: Stream[] = [];
  /** What came out of the tunnel, unsealed. */
  readonly frames: Buffer[] = [];
  /** What went to the machine. */
  readonly toMachine: Buffer[] = [];
  #answer: ((verdict: AdmittedDial | NotAdmitted) => void)[] = [];

  constructor(end: "dial" | "accept" = "accept") {
    const [one, two] = [randomBytes(32), randomBytes(32)];
    this.seal = createSeal(one, two);
    const machine = new Machine(this.toMachine);
    const streams = createStreams({
      clock,
      log: silentLog,
      limits: { streamsMax: 10_000, streamsPerSourceMax: 10_000 },
    });
    const host: TunnelHost = {
      streams,
      waiting: { bytes: 0, bytesMax: 1_000_000 },
      waitingBytesPerTunnelMax: 1_000_000,
      admit: () => new Promise((resolve) => this.#answer.push(resolve)),
      connect: (_source, client, dial) => {
        const sendQueue = machine as unknown as Stream["agent"]["sendQueue"];
        const agent = { sendQueue, id: 9, carrier: null };
        const stream = streams.open({ dial, sourceAddress: "", client, agent });
        this.connected.push(stream);
        return stream;
      },
    };
    this.tunnel = new Tunnel({ host, clock, log: silentLog, socket: this, seal: createSeal(two, one), end });
    openTunnels.push(this.tunnel);
  }

  send(sealed: Buffer): void {
    const frame = this.seal.open(sealed);
    if (frame === null) throw new Error("not sealed");
    this.frames.push(frame);
  }
  close(): void {
    this.readyState = WebSocket.CLOSED;
  }
  terminate(): void {
    this.close();
  }
  getBufferedAmount(): number {
    return this.waitingBytes;
  }

  /** Sends into the tunnel. */
  put(type: Parameters<typeof encodeRelayFrame>[0], id: number, payload: string | Buffer = ""): void {
    this.tunnel.receive(this.seal.seal(encodeRelayFrame(type, id, Buffer.from(payload as string))));
  }

  async admitAll(verdict: unknown = admitted): Promise<void> {
    for (const answer of this.#answer.splice(0)) answer(verdict as AdmittedDial);
    await Bun.sleep(0);
  }

  resets(): string[] {
    return this.frames
      .map((frame) => decodeRelayFrame(frame))
      .flatMap((frame) => (frame?.type === RELAY_FRAME.reset ? [`${frame.streamId} ${resetOf(frame)}`] : []));
  }
}

class Machine {
  readonly #to: Buffer[];
  constructor(to: Buffer[]) {
    this.#to = to;
  }
  canSend(): boolean {
    return true;
  }
  send(frame: Buffer): void {
    this.#to.push(Buffer.from(frame));
  }
}

test("what comes for a stream that is being looked at reaches its machine afterwards, in order", async () => {
  const end = new End();
  end.put(RELAY_FRAME.open, 1, JSON.stringify(open));
  end.put(RELAY_FRAME.data, 1, "one ");
  end.put(RELAY_FRAME.data, 1, "two ");
  expect(end.toMachine).toEqual([]);
  await end.admitAll();
  end.put(RELAY_FRAME.data, 1, "three");
  expect(Buffer.concat(end.toMachine.map((frame) => frame.subarray(5))).toString()).toBe("one two three");
});

test("what comes for a stream that is being looked at is bounded, in bytes and in frames", async () => {
  const end = new End();
  for (const [id, bytes, times] of [
    [1, 1, RELAY_CREDIT_INITIAL / 16],
    [2, RELAY_CREDIT_INITIAL, 3],
  ] as const) {
    end.put(RELAY_FRAME.open, id, JSON.stringify(open));
    for (let i = 0; i < times; i++) end.put(RELAY_FRAME.data, id, Buffer.alloc(bytes));
  }
  expect(end.resets()).toEqual(["1 violation", "2 violation"]);
  await end.admitAll();
  expect(end.connected).toEqual([]);
});

test("a client that goes while its stream is being looked at opens none", async () => {
  const end = new End();
  end.put(RELAY_FRAME.open, 1, JSON.stringify(open));
  end.put(RELAY_FRAME.reset, 1, Buffer.of(1));
  await end.admitAll();
  expect(end.connected).toEqual([]);
});

test("no more than so many streams are looked at at once", () => {
  const end = new End();
  for (let id = 1; id <= 1_025; id++) end.put(RELAY_FRAME.open, id, JSON.stringify(open));
  expect(end.resets()).toEqual(["1025 limit"]);
});

test("a stream that is refused is told why, and the tunnel goes on", async () => {
  const end = new End();
  end.put(RELAY_FRAME.open, 1, JSON.stringify(open));
  await end.admitAll({ ok: false, reset: "refused", source: null });
  end.put(RELAY_FRAME.data, 1, "late");
  end.put(RELAY_FRAME.ping, 0);
  expect(end.resets()).toEqual(["1 refused"]);
  expect(decodeRelayFrame(end.frames.at(-1))?.type).toBe(RELAY_FRAME.pong);
});

test("who asks and does not read the answers gets none", () => {
  const end = new End();
  end.waitingBytes = 1_000_000;
  end.tunnel.sendQueue.count();
  end.put(RELAY_FRAME.ping, 0);
  expect(end.frames).toEqual([]);
});

describe("a tunnel is over, and all in it, with", () => {
  const offences: readonly (readonly [string, (end: End) => void])[] = [
    ["a stream that is opened twice", (end) => end.put(RELAY_FRAME.open, 1, JSON.stringify(open))],
    ["a message that is text", (end) => end.tunnel.receive("hello")],
    ["a frame that is none", (end) => end.tunnel.receive(end.seal.seal(Buffer.from("hello!")))],
    ["a message that is not sealed", (end) => end.tunnel.receive(encodeRelayFrame(RELAY_FRAME.ping, 0))],
    [
      "a message that comes twice",
      (end) => {
        const sealed = end.seal.seal(encodeRelayFrame(RELAY_FRAME.ping, 0));
        end.tunnel.receive(sealed);
        end.tunnel.receive(sealed);
      },
    ],
    [
      "a message that is left out",
      (end) => {
        end.seal.seal(encodeRelayFrame(RELAY_FRAME.ping, 0));
        end.put(RELAY_FRAME.ping, 0);
      },
    ],
  ];
  test.each(offences)("%s", async (_what, offend) => {
    const end = new End();
    end.put(RELAY_FRAME.open, 1, JSON.stringify(open));
    await end.admitAll();
    offend(end);
    expect(end.tunnel.isOver).toBe(true);
    expect(end.readyState).toBe(WebSocket.CLOSED);
    expect(end.connected.map(({ isOver }) => isOver)).toEqual([true]);
    expect(decodeRelayFrame(end.toMachine.at(-1))?.type).toBe(RELAY_FRAME.reset);
  });

  test("a stream that the machine's end wants to open", () => {
    const end = new End("dial");
    end.put(RELAY_FRAME.open, 1, JSON.stringify(open));
    expect(end.tunnel.isOver).toBe(true);
  });
});
