import { expect, test } from "bun:test";
import { createHash, randomBytes, randomInt } from "node:crypto";
import { finished } from "node:stream/promises";
import { RelayStream } from "../../src/fabric/relay-stream.ts";
import { createStreamCredit } from "../../src/management/relay/stream-credit.ts";
import {
  creditFrame,
  decodeRelayFrame,
  encodeRelayFrame,
  RELAY_CREDIT_INITIAL,
  RELAY_CREDIT_MAX,
  RELAY_DATA_BYTES_MAX,
  RELAY_FRAME,
  resetFrame,
  resetOf,
} from "../../src/wire/relay.ts";
import { until } from "../support/until.ts";

/** Two ends with the relay's books between them, which hold both to the rules. */
function aPair(windowBytes?: () => number) {
  const ledger = createStreamCredit();
  const refused: Buffer[] = [];
  const ends = { client: undefined as RelayStream | undefined, agent: undefined as RelayStream | undefined };
  const carry = (from: "client" | "agent", message: Buffer) => {
    const frame = decodeRelayFrame(message);
    if (frame === undefined) throw new Error("not a frame");
    if (frame.type !== RELAY_FRAME.reset && !ledger.take(from, frame)) refused.push(message);
    setImmediate(() => ends[from === "client" ? "agent" : "client"]?.receive(frame));
  };
  const options = windowBytes === undefined ? {} : { windowBytes };
  ends.client = new RelayStream({ id: 0, send: (frame) => carry("client", frame) });
  ends.agent = new RelayStream({ id: 0, send: (frame) => carry("agent", frame), ...options });
  return { client: ends.client, agent: ends.agent, ledger, refused };
}

const hashOf = async (stream: AsyncIterable<Buffer>) => {
  const hash = createHash("sha256");
  for await (const chunk of stream) hash.update(chunk);
  return hash.digest("hex");
};

test("bytes arrive whole and in order both ways at once, within the credit", async () => {
  const { client, agent, ledger, refused } = aPair();
  const data = { client: randomBytes(12_000_000), agent: randomBytes(12_000_000) };
  // Neither ends before both have all: the end of one direction ends the other, as on a socket of ours.
  const receive = (from: typeof client, bytes: number): Promise<Buffer> =>
    new Promise((resolve, reject) => {
      const got: Buffer[] = [];
      let count = 0;
      from.once("error", reject).on("data", (chunk: Buffer) => {
        got.push(chunk);
        count += chunk.length;
        if (count >= bytes) resolve(Buffer.concat(got));
      });
    });
  const got = Promise.all([receive(agent, data.client.length), receive(client, data.agent.length)]);
  for (const [to, bytes] of [
    [client, data.client],
    [agent, data.agent],
  ] as const) {
    for (let at = 0; at < bytes.length; ) {
      const next = at + randomInt(1, 200_000);
      to.write(bytes.subarray(at, next));
      at = next;
    }
  }
  const [atAgent, atClient] = await got;
  expect(atAgent.equals(data.client)).toBe(true);
  expect(atClient.equals(data.agent)).toBe(true);
  client.end();
  await Promise.all([finished(client), finished(agent)]);
  expect(refused).toEqual([]);
  expect(ledger.isOver).toBe(true);
});

test.each(["client", "agent"] as const)(
  "bytes of the %s arrive whole and in order whatever their pieces, within the credit",
  async (sender) => {
    const { client, agent, refused } = aPair();
    const [from, to] = sender === "client" ? [client, agent] : [agent, client];
    const sent = createHash("sha256");
    async function* pieces() {
      for (let bytes = 0; bytes < 12_000_000; ) {
        const piece = randomBytes(randomInt(1, 200_000));
        bytes += piece.length;
        sent.update(piece);
        yield piece;
      }
    }
    const got = hashOf(to);
    for await (const piece of pieces()) {
      if (!from.write(piece)) await new Promise((resolve) => from.once("drain", resolve));
    }
    from.end();
    expect(await got).toBe(sent.digest("hex"));
    expect(refused).toEqual([]);
  },
);

test("a reader that does not read costs one window, and gets everything once it reads", async () => {
  const { client, agent, ledger } = aPair();
  agent.pause();
  const data = randomBytes(8 * 1024 * 1024);
  client.end(data);
  await Bun.sleep(50);
  expect(ledger.bytes.client).toBe(RELAY_CREDIT_INITIAL);
  expect(await hashOf(agent)).toBe(createHash("sha256").update(data).digest("hex"));
});

test("a reader that stops in the middle of much holds no more than the full window", async () => {
  const { client, agent, ledger } = aPair();
  let readBytes = 0;
  agent
    .on("error", () => {})
    .on("data", (chunk: Buffer) => {
      readBytes += chunk.length;
      if (readBytes > 4_000_000) agent.pause();
    });
  client.on("error", () => {}).write(Buffer.alloc(16 * 1024 * 1024));
  await Bun.sleep(100);
  expect(ledger.bytes.client - readBytes).toBeLessThanOrEqual(RELAY_CREDIT_MAX + 64 * 1024);
  client.destroy();
});

test("a machine with many streams gives each a smaller window", async () => {
  const { client, agent, ledger } = aPair(() => 128 * 1024);
  let readBytes = 0;
  agent
    .on("error", () => {})
    .on("data", (chunk: Buffer) => {
      readBytes += chunk.length;
      if (readBytes > 1_000_000) agent.pause();
    });
  client.on("error", () => {}).write(Buffer.alloc(4 * 1024 * 1024));
  await Bun.sleep(100);
  expect(ledger.bytes.client - readBytes).toBeLessThanOrEqual(256 * 1024);
  client.destroy();
});

test("the end of one direction is the end of the other, after what was written", async () => {
  const { client, agent } = aPair();
  agent.on("data", () => {});
  agent.write("last words");
  client.end();
  expect(Buffer.concat(await Array.fromAsync(client)).toString()).toBe("last words");
  await Promise.all([finished(agent), finished(client)]);
  expect([agent.destroyed, client.destroyed]).toEqual([true, true]);
});

test("an end that is destroyed takes the other with it", async () => {
  const { client, agent } = aPair();
  client.destroy();
  await expect(finished(agent)).rejects.toMatchObject({ code: "ERR_PEER_UNREACHABLE" });
});

test("a reset after the end leaves what was sent to be read", async () => {
  const { client, agent, ledger } = aPair();
  agent.end("goodbye");
  await until("what was sent", () => ledger.bytes.agent > 0);
  agent.destroy();
  await Bun.sleep(10);
  expect(Buffer.concat(await Array.fromAsync(client)).toString()).toBe("goodbye");
});

test.each([
  [
    "more data than was granted",
    [
      encodeRelayFrame(RELAY_FRAME.data, 0, Buffer.alloc(RELAY_DATA_BYTES_MAX)),
      encodeRelayFrame(RELAY_FRAME.data, 0, Buffer.alloc(1)),
    ],
  ],
  [
    "data after the end",
    [encodeRelayFrame(RELAY_FRAME.eof, 0), encodeRelayFrame(RELAY_FRAME.data, 0, Buffer.alloc(1))],
  ],
  ["two ends", [encodeRelayFrame(RELAY_FRAME.eof, 0), encodeRelayFrame(RELAY_FRAME.eof, 0)]],
  ["a grant of nothing", [creditFrame(0, 0)]],
  ["a grant beyond the most", [creditFrame(0, RELAY_CREDIT_MAX)]],
])("%s ends the stream as a violation, and the books say so too", async (_what, frames) => {
  const sent: Buffer[] = [];
  const stream = new RelayStream({ id: 7, send: (frame) => void sent.push(frame) });
  stream.on("error", () => {});
  const ledger = createStreamCredit();
  let isTaken = true;
  for (const message of frames) {
    const frame = decodeRelayFrame(message);
    if (frame === undefined) throw new Error("not a frame");
    stream.receive(frame);
    isTaken &&= ledger.take("client", frame);
  }
  expect(stream.destroyed).toBe(true);
  expect(isTaken).toBe(false);
  const last = decodeRelayFrame(sent.at(-1));
  expect(last && resetOf(last)).toBe("violation");
});

test.each([
  ["text", "text"],
  ["nothing", Buffer.alloc(0)],
  ["half a header", Buffer.from([2, 0, 0])],
  ["an unknown type", Buffer.from([9, 0, 0, 0, 0])],
  ["empty data", encodeRelayFrame(RELAY_FRAME.data, 0)],
  ["too much data", encodeRelayFrame(RELAY_FRAME.data, 0, Buffer.alloc(RELAY_DATA_BYTES_MAX + 1))],
  ["a grant of three bytes", encodeRelayFrame(RELAY_FRAME.credit, 0, Buffer.alloc(3))],
  ["an end with a payload", encodeRelayFrame(RELAY_FRAME.eof, 0, Buffer.alloc(1))],
  ["a reset without a reason", encodeRelayFrame(RELAY_FRAME.reset, 0)],
])("decodeRelayFrame takes %s for no frame", (_what, message) => {
  expect(decodeRelayFrame(message)).toBeUndefined();
});

test("a reset with a reason of a newer build reads as gone", () => {
  const frame = decodeRelayFrame(encodeRelayFrame(RELAY_FRAME.reset, 3, Uint8Array.of(200)));
  expect(frame && resetOf(frame)).toBe("gone");
  const known = decodeRelayFrame(resetFrame(3, "limit"));
  expect(known && resetOf(known)).toBe("limit");
});
