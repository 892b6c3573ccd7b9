import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { createHash, randomBytes } from "node:crypto";
import { nowSeconds, systemClock } from "../../../src/base/clock.ts";
import { type Ed25519Key, generateEd25519 } from "../../../src/base/ed25519.ts";
import { silentLog } from "../../../src/base/log.ts";
import { makeHello } from "../../../src/fabric/hello.ts";
import { signRelayDial } from "../../../src/fabric/relay-client.ts";
import { RELAY_LOSSES, type RelayStream } from "../../../src/fabric/relay-stream.ts";
import { openPostgresStore } from "../../../src/management/db/postgres/store.ts";
import type { Store } from "../../../src/management/db/store.ts";
import { insertAccount } from "../../../src/management/db/tables/accounts.ts";
import { deletePeer } from "../../../src/management/db/tables/peers.ts";
import { createMaps } from "../../../src/management/maps/maps.ts";
import type { RelayLimits } from "../../../src/management/relay/limits.ts";
import { dialTunnel } from "../../../src/management/relay/tunnel-proof.ts";
import type { Seal } from "../../../src/management/relay/tunnel-seal.ts";
import {
  decodeRelayFrame,
  encodeRelayFrame,
  RELAY_CREDIT_MAX,
  RELAY_FRAME,
  type RelayReset,
  resetOf,
} from "../../../src/wire/relay.ts";
import {
  RELAY_TUNNEL_HEADER,
  RELAY_TUNNEL_PATH,
  type RelayTunnelOpen,
} from "../../../src/wire/relay-tunnel.ts";
import { anAccountRow } from "../../support/account-row.ts";
import { type FaultyTcp, openFaultyTcp } from "../../support/faulty-tcp.ts";
import { aPeerRow, type TestPeer } from "../../support/peer-row.ts";
import { hasPostgres, testPostgres } from "../../support/postgres.ts";
import { type LabCluster, openRelayProcess, type RelayLab } from "../../support/relay-lab.ts";
import { startTestManagement, type TestManagement } from "../../support/running-management.ts";
import { tempFolder } from "../../support/temp-folder.ts";
import { until } from "../../support/until.ts";

const MB = 1024 * 1024;
const ORIGIN = "https://qf.example.com";

interface Process extends RelayLab {
  readonly store: Store;
}

describe.skipIf(!hasPostgres)("the relay of two processes", () => {
  let management: TestManagement;
  let databaseUrl: string;
  let key: Ed25519Key;
  let a: Process;
  let b: Process;
  let machine: TestPeer;
  let device: TestPeer;
  let stranger: TestPeer;
  let servers: string;
  const closers: (() => unknown)[] = [];

  async function aProcess(
    limits: Partial<RelayLimits> = {},
    change: Partial<LabCluster> = {},
  ): Promise<Process> {
    const store = await openPostgresStore({ databaseUrl, clock: systemClock, log: silentLog });
    closers.push(() => store.close());
    const { keys } = management.context;
    const maps = createMaps({ store, keys, origin: ORIGIN });
    const context = { ...management.context, log: silentLog, store, maps, origin: ORIGIN };
    const { accountId } = management;
    const cluster = { key, origin: ORIGIN, ...change };
    const lab = await openRelayProcess({ context, accountId }, cluster, { recheckMs: 50, ...limits });
    closers.push(() => lab.close());
    return { ...lab, store };
  }

  /** Links the machine to `at`, and waits until the others know. */
  async function link(at: Process, onStream: (stream: RelayStream) => void): Promise<void> {
    await at.offer(machine, onStream);
    const { cluster } = (at === a ? b : a).store;
    const { accountId } = management;
    await until("the link to be known", async () => cluster?.relayLinks.find(accountId, machine.row.id));
  }

  beforeEach(async () => {
    databaseUrl = await (await testPostgres()).database();
    management = await startTestManagement(tempFolder(), { databaseUrl });
    closers.push(() => management.close());
    const laptops = await management.addGroup("Laptops");
    servers = await management.addGroup("Servers");
    machine = await aPeerRow(management, { name: "web1", kind: "machine", groups: [servers] });
    device = await aPeerRow(management, { name: "laptop", kind: "device", groups: [laptops] });
    stranger = await aPeerRow(management, { name: "other", kind: "device", groups: [] });
    const sides = { sources: [laptops], destinations: [servers] };
    await management.addPolicy({ ...sides, protocol: "tcp", ports: ["22"] });
    key = generateEd25519();
    [a, b] = [await aProcess(), await aProcess()];
  });

  afterEach(async () => {
    for (const close of closers.splice(0).reverse()) await close();
  });

  const GREETING = "hello from web1\n";
  const greet = (stream: RelayStream) => void stream.write(GREETING);
  const echo = (stream: RelayStream) => {
    greet(stream);
    stream.pipe(stream);
  };
  const readAll = async (stream: RelayStream) => Buffer.concat(await Array.fromAsync(stream));
  const sha256 = (...parts: Uint8Array[]) => createHash("sha256").update(Buffer.concat(parts)).digest("hex");
  const ended = (stream: RelayStream) => readAll(stream).catch((error: Error) => error.message);
  const nothingLeft = async (...processes: Process[]): Promise<void> => {
    for (const { hub } of processes) {
      await until("nothing left", () => hub.load().streams + hub.load().waitingBytes === 0);
    }
  };

  test("pairs a client at one with a machine at the other, unharmed and metered at both", async () => {
    const data = randomBytes(5 * MB);
    await link(a, echo);
    const stream = await b.dial(device, machine);
    for (const { hub } of [a, b]) {
      expect(hub.streams(management.accountId)).toMatchObject([
        { source: device.row.id, target: machine.row.id, sourceAddress: "127.0.0.1" },
      ]);
    }
    expect([a.hub.load().links, b.hub.load().links]).toEqual([1, 0]);
    const parts: Buffer[] = [];
    stream.on("data", (part: Buffer) => void parts.push(part));
    stream.write(data);
    const whole = data.length + GREETING.length;
    const bytes = () => parts.reduce((sum, { length }) => sum + length, 0);
    await until("all of it", () => bytes() === whole, 15_000);
    for (const { hub } of [a, b]) {
      expect(hub.streams(management.accountId)).toMatchObject([
        { bytesFromClient: data.length, bytesFromAgent: whole },
      ]);
    }
    expect(sha256(...parts)).toBe(sha256(Buffer.from(GREETING), data));
    stream.end();
    await nothingLeft(a, b);
  }, 20_000);

  test("carries many streams in one tunnel, each with its own bytes", async () => {
    await link(a, echo);
    const results = await Promise.all(
      Array.from({ length: 20 }, async (_, i) => {
        const stream = await b.dial(device, machine);
        const data = Buffer.alloc(300_000 + i, i);
        stream.end(data);
        return sha256(await readAll(stream)) === sha256(Buffer.from(GREETING), data);
      }),
    );
    expect(results).toEqual(new Array(20).fill(true));
    await nothingLeft(a, b);
  }, 20_000);

  test("reaches a machine at each from a client at the other", async () => {
    const other = await aPeerRow(management, { name: "web2", kind: "machine", groups: [servers] });
    await link(a, greet);
    await b.offer(other, greet);
    const { cluster } = a.store;
    await until("the link", () => cluster?.relayLinks.find(management.accountId, other.row.id));
    const [one, two] = await Promise.all([b.dial(device, machine), a.dial(device, other)]);
    expect([String(one.read()), String(two.read())]).toEqual([GREETING, GREETING]);
  });

  test("turns away whom no rule lets in, and a machine that is nowhere", async () => {
    await expect(b.dial(device, machine)).rejects.toThrow(RELAY_LOSSES.absent);
    await link(a, greet);
    await expect(b.dial(stranger, machine)).rejects.toThrow(RELAY_LOSSES.refused);
    expect(a.hub.load().streams).toBe(0);
  });

  test("a rule that goes takes its streams with it", async () => {
    await link(a, greet);
    const stream = await b.dial(device, machine);
    const initiator = { id: "test", name: "test", email: "" };
    const { accountId } = management;
    await management.context.store.change({ accountId, initiator, affectsMaps: true }, (tx) =>
      deletePeer(tx, device.row),
    );
    expect(await ended(stream)).toContain("does not let");
    await nothingLeft(a, b);
  });

  test("holds the limits of the machine's process for streams of the other", async () => {
    const c = await aProcess({ streamsPerSourceMax: 1 });
    await c.offer(machine, greet);
    await until("the link", () => b.store.cluster?.relayLinks.find(management.accountId, machine.row.id));
    await b.dial(device, machine);
    await expect(b.dial(device, machine)).rejects.toThrow("no room");
  });

  test("a reader that stops keeps a window waiting at either, not what is sent to it", async () => {
    let sentBytes = 0;
    await link(a, (stream) => {
      const chunk = Buffer.alloc(64 * 1024);
      const more = () => {
        while (!stream.destroyed) {
          sentBytes += chunk.length;
          if (!stream.write(chunk)) break;
        }
      };
      stream.on("drain", more);
      more();
    });
    const stream = await b.dial(device, machine);
    let readBytes = 0;
    stream.on("data", (chunk: Buffer) => {
      readBytes += chunk.length;
      if (readBytes > 4 * MB) stream.pause();
    });
    await until("the pause", () => stream.isPaused());
    let last = -1;
    await until("nothing more to be sent", async () => {
      await Bun.sleep(100);
      const isStill = last === sentBytes;
      last = sentBytes;
      return isStill;
    });
    expect(sentBytes - readBytes).toBeLessThan(RELAY_CREDIT_MAX + MB);
    for (const { hub } of [a, b]) expect(hub.load().waitingBytes).toBeLessThanOrEqual(RELAY_CREDIT_MAX);
    stream.destroy();
    await nothingLeft(a, b);
  }, 20_000);

  test("a process that stops says so to the clients of the other", async () => {
    await link(a, greet);
    const over = ended(await b.dial(device, machine));
    await a.hub.close();
    expect(await over).toContain("restarting");
    await nothingLeft(a, b);
    const { cluster } = b.store;
    const { accountId } = management;
    const isGone = async () => (await cluster?.relayLinks.find(accountId, machine.row.id)) === undefined;
    await until("the link to be gone", isGone);
    await expect(b.dial(device, machine)).rejects.toThrow(RELAY_LOSSES.absent);
  });

  test("a client's process that goes ends its streams at the machine", async () => {
    const taken: RelayStream[] = [];
    await link(a, (stream) => {
      taken.push(stream);
      greet(stream);
    });
    await b.dial(device, machine);
    await b.close();
    await until("its end", () => taken[0]?.destroyed);
    await nothingLeft(a);
  });

  test("a link that is opened at another takes the place of the older", async () => {
    await link(a, greet);
    await link(b, greet);
    await until("the older to go", () => a.hub.load().links === 0);
    const stream = await a.dial(device, machine);
    expect(b.hub.load()).toMatchObject({ links: 1, streams: 1 });
    stream.destroy();
    await nothingLeft(a, b);
  });

  test("a process that lets no other in says that there is no way", async () => {
    const c = await aProcess({}, { listen: null });
    await c.offer(machine, greet);
    await until("the link", () => b.store.cluster?.relayLinks.find(management.accountId, machine.row.id));
    await expect(b.dial(device, machine)).rejects.toThrow(RELAY_LOSSES.broken);
    (await c.dial(device, machine)).destroy();
  });

  describe("over a bad network between them", () => {
    let network: FaultyTcp;

    beforeEach(async () => {
      network = await openFaultyTcp(Number(a.tunnels?.address?.split(":")[1]));
      closers.push(() => network.close());
      await a.store.cluster?.setAddress(`127.0.0.1:${network.port}`);
      await link(a, echo);
    });

    const echoes = async (): Promise<boolean> => {
      const data = randomBytes(300_000);
      const stream = await b.dial(device, machine);
      stream.end(data);
      return sha256(await readAll(stream)) === sha256(Buffer.from(GREETING), data);
    };

    test("streams go on slowly and in pieces", async () => {
      network.fault = { pieceBytes: 900, delayMs: 1 };
      expect(await echoes()).toBe(true);
    }, 20_000);

    test("a cut ends what was under way with its reason, and the next dial makes a way anew", async () => {
      const over = ended(await b.dial(device, machine));
      network.cut();
      expect(await over).toContain(RELAY_LOSSES.broken);
      await nothingLeft(a, b);
      expect(await echoes()).toBe(true);
    });

    test("silence ends it as well, at both", async () => {
      const over = ended(await b.dial(device, machine));
      network.fault = { isSilent: true };
      expect(await over).toContain(RELAY_LOSSES.broken);
      await until("nothing left", () => a.hub.load().streams + b.hub.load().streams === 0, 15_000);
      await expect(b.dial(device, machine)).rejects.toThrow(RELAY_LOSSES.broken);
      network.fault = {};
      network.cut();
      await until("the way", () => echoes().catch(() => false), 10_000);
    }, 40_000);

    test("what waits in front of it is bounded, and what is too much ends by itself", async () => {
      const c = await aProcess({ waitingBytesPerTunnelMax: 2 * MB });
      network.upstream = Number(c.tunnels?.address?.split(":")[1]);
      await c.store.cluster?.setAddress(`127.0.0.1:${network.port}`);
      await c.offer(machine, (stream) => {
        greet(stream);
        stream.once("data", () => stream.write(Buffer.alloc(8 * MB)));
      });
      const { cluster } = b.store;
      const place = () => cluster?.relayLinks.find(management.accountId, machine.row.id);
      const { processId } = c.store.cluster ?? {};
      await until("the link", async () => (await place())?.processId === processId);
      const streams = await Promise.all(Array.from({ length: 24 }, () => b.dial(device, machine)));
      network.fault = { delayMs: 20, pieceBytes: 20_000 };
      for (const stream of streams) stream.write("go");
      for (const stream of streams) stream.resume();
      let waitedMax = 0;
      const isOver = () => {
        waitedMax = Math.max(waitedMax, c.hub.load().waitingBytes);
        return streams.some(({ destroyed }) => destroyed);
      };
      await until("one to be ended", isOver, 20_000);
      // Small frames may always go beside it.
      expect(waitedMax).toBeLessThan(2 * MB + 64 * 1024);
    }, 40_000);

    test.each([
      { what: "mixed up", fault: { pieceBytes: 2_000, swapEvery: 7 } },
      { what: "sent twice", fault: { pieceBytes: 2_000, twiceEvery: 7 } },
    ])(
      "what is $what ends all streams in it, and harms no byte",
      async ({ fault }) => {
        const data = randomBytes(2 * MB);
        const stream = await b.dial(device, machine);
        const parts: Buffer[] = [];
        const over = new Promise<void>((resolve) => stream.on("close", () => resolve()));
        stream.on("data", (part: Buffer) => void parts.push(part));
        await until("the greeting", () => parts.length > 0);
        network.fault = fault;
        stream.end(data);
        await over;
        const got = Buffer.concat(parts);
        const right = Buffer.concat([Buffer.from(GREETING), data]);
        expect(got.length).toBeLessThan(right.length);
        expect(got.equals(right.subarray(0, got.length))).toBe(true);
        network.fault = {};
        await nothingLeft(a, b);
        await until("the way", () => echoes().catch(() => false), 10_000);
      },
      30_000,
    );
  });

  describe("at the port for other processes", () => {
    const at = (change: Partial<{ from: string; to: string; timeSeconds: number }> = {}) => ({
      from: change.from ?? "me",
      to: change.to ?? a.store.cluster?.processId ?? "",
      nowSeconds: change.timeSeconds ?? nowSeconds(systemClock),
    });
    const ask = async (header?: string, path = RELAY_TUNNEL_PATH): Promise<number> => {
      const response = await fetch(`http://${a.tunnels?.address}${path}`, {
        headers: {
          connection: "Upgrade",
          upgrade: "websocket",
          "sec-websocket-key": Buffer.alloc(16).toString("base64"),
          "sec-websocket-version": "13",
          ...(header === undefined ? {} : { [RELAY_TUNNEL_HEADER]: header }),
        },
      });
      expect(await response.text()).toBe("");
      return response.status;
    };
    const scope = (change: Partial<{ key: Ed25519Key; origin: string }> = {}) => ({
      key,
      origin: ORIGIN,
      ...change,
    });

    const forgeries: readonly (readonly [string, () => string | undefined])[] = [
      ["nothing", () => undefined],
      ["what is no proof", () => "hello"],
      ["a proof by another key", () => dialTunnel(scope({ key: generateEd25519() }), at()).header],
      ["a proof for another service", () => dialTunnel(scope({ origin: "https://x.example" }), at()).header],
      ["a proof for another process", () => dialTunnel(scope(), at({ to: "other" })).header],
      ["its own name", () => dialTunnel(scope(), at({ from: a.store.cluster?.processId ?? "" })).header],
      ["a proof of before", () => dialTunnel(scope(), at({ timeSeconds: at().nowSeconds - 61 })).header],
      ["a proof of later", () => dialTunnel(scope(), at({ timeSeconds: at().nowSeconds + 62 })).header],
      ["a proof that was changed", () => dialTunnel(scope(), at()).header.replace(/^eyJ/, "eyK")],
    ];
    test.each(forgeries)("%s opens no tunnel and is told nothing", async (_what, header) => {
      expect(await ask(header())).toBe(404);
      expect(await ask(header(), "/healthz")).toBe(404);
    });

    test("a proof that was used opens no second tunnel", async () => {
      const tunnel = await openRaw(dialTunnel(scope(), at()));
      expect(await ask(tunnel.header)).toBe(404);
      tunnel.socket.close();
    });

    test("nobody is taken for the process that was dialled without its key", async () => {
      const { promise, resolve } = Promise.withResolvers<string>();
      const socket = openSocket(dialTunnel(scope(), at()).header);
      socket.onmessage = ({ data }) => resolve(String(data));
      const message = await promise;
      socket.close();
      const other = dialTunnel(scope({ key: generateEd25519() }), at());
      expect(other.finish(message)).toBeNull();
      // Nor does an answer to somebody else's dial do.
      expect(dialTunnel(scope(), at()).finish(message)).toBeNull();
    });

    function openSocket(header: string): WebSocket {
      const socket = new WebSocket(`ws://${a.tunnels?.address}${RELAY_TUNNEL_PATH}`, {
        headers: { [RELAY_TUNNEL_HEADER]: header },
      } as object as string[]);
      (socket as { binaryType: string }).binaryType = "nodebuffer";
      closers.push(() => socket.close());
      return socket;
    }

    interface RawTunnel {
      readonly header: string;
      readonly socket: WebSocket;
      readonly seal: Seal;
      /** Why streams were reset, in order. */
      readonly resets: RelayReset[];
      open(id: number, open: Partial<RelayTunnelOpen>): void;
    }

    async function openRaw({ header, finish }: ReturnType<typeof dialTunnel>): Promise<RawTunnel> {
      const socket = openSocket(header);
      const { promise, resolve } = Promise.withResolvers<Seal | null>();
      socket.onmessage = ({ data }) => resolve(finish(data));
      const seal = await promise;
      if (seal === null) throw new Error("not accepted");
      const resets: RelayReset[] = [];
      socket.onmessage = ({ data }) => {
        const frame = decodeRelayFrame(seal.open(data as Buffer));
        if (frame?.type === RELAY_FRAME.reset) resets.push(resetOf(frame));
      };
      const send = (frame: Buffer) => socket.send(seal.seal(frame) as Buffer<ArrayBuffer>);
      const open = (id: number, body: Partial<RelayTunnelOpen>) =>
        send(encodeRelayFrame(RELAY_FRAME.open, id, Buffer.from(JSON.stringify(body))));
      return { header, socket, seal, resets, open };
    }

    /** What a client of `device` would have sent. */
    function shown(source: TestPeer, accountId = management.accountId, target = machine): RelayTunnelOpen {
      const signed = { accountId, origin: ORIGIN };
      const hello = makeHello({
        deviceKey: source.key,
        scope: signed,
        source: source.row.id,
        target: target.row.id,
        port: 22,
        nowSeconds: nowSeconds(systemClock),
      }).trimEnd();
      const proof = signRelayDial(source.key, signed, hello);
      return { hello, proof, sourceAddress: "192.0.2.1", sourcePort: 1 };
    }

    test("a process is believed nothing of who dials: each stream has to prove it", async () => {
      const taken: RelayStream[] = [];
      await link(a, (stream) => void taken.push(stream));
      const own = shown(device);
      const tunnel = await openRaw(dialTunnel(scope(), at()));
      const refused: readonly (readonly [RelayTunnelOpen | object, RelayReset])[] = [
        [{ ...own, proof: shown(device).proof }, "unproven"],
        [
          { ...own, proof: signRelayDial(generateEd25519(), { accountId: "", origin: ORIGIN }, own.hello) },
          "unproven",
        ],
        [shown(stranger), "refused"],
        [shown(device, "another account"), "unproven"],
        [shown({ ...device, row: { ...device.row, id: "nobody" } }), "unproven"],
        [shown(device, management.accountId, stranger), "refused"],
        [{ hello: own.hello }, "violation"],
      ];
      for (const [i, [open]] of refused.entries()) {
        tunnel.open(i + 1, open);
        await until("the answer", () => tunnel.resets.length === i + 1);
      }
      expect(tunnel.resets).toEqual(refused.map(([, reset]) => reset));
      expect(a.hub.load().streams).toBe(0);
      tunnel.open(100, own);
      await until("the stream", () => taken.length === 1);
      tunnel.open(101, own);
      await until("the answer", () => tunnel.resets.length === refused.length + 1);
      expect(tunnel.resets.at(-1)).toBe("refused");
      tunnel.socket.close();
      await nothingLeft(a);
    });

    test("a peer of another account is not to be reached, whatever the tunnel names", async () => {
      await link(a, greet);
      const foreign = await anotherAccount();
      const tunnel = await openRaw(dialTunnel(scope(), at()));
      tunnel.open(1, shown(foreign.device, foreign.accountId));
      await until("the answer", () => tunnel.resets.length === 1);
      expect(tunnel.resets).toEqual(["refused"]);
      tunnel.socket.close();
    });

    test("a message that was changed, or is none, ends the tunnel and all in it", async () => {
      const taken: RelayStream[] = [];
      await link(a, (stream) => void taken.push(stream));
      for (const bend of [
        (sealed: Buffer) => sealed.fill(1, 3, 4),
        (sealed: Buffer) => sealed.subarray(1),
        () => Buffer.alloc(5),
      ]) {
        const tunnel = await openRaw(dialTunnel(scope(), at()));
        tunnel.open(1, shown(device));
        await until("the stream", () => a.hub.load().streams === 1);
        const isClosed = Promise.withResolvers<void>();
        tunnel.socket.onclose = () => isClosed.resolve();
        const sealed = tunnel.seal.seal(encodeRelayFrame(RELAY_FRAME.data, 1, Buffer.from("abcd")));
        tunnel.socket.send(bend(sealed) as Buffer<ArrayBuffer>);
        await isClosed.promise;
        await nothingLeft(a);
      }
    });

    async function anotherAccount(): Promise<{ accountId: string; device: TestPeer }> {
      const { store } = management.context;
      const accountId = "another";
      await store.transaction((tx) => insertAccount(tx, anAccountRow({ id: accountId })));
      const other = await aPeerRow(
        { ...management, accountId },
        { name: "laptop", kind: "device", groups: [] },
      );
      return { accountId, device: other };
    }
  });
});
