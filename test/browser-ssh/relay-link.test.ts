import { beforeEach, expect, test } from "bun:test";
import { type Bytes, concat, utf8 } from "../../src/browser-ssh/bytes.ts";
import { RelayLink, type RelaySocket } from "../../src/browser-ssh/relay-link.ts";
import { RELAY_CREDIT_INITIAL, RELAY_CREDIT_MAX, RELAY_FRAME } from "../../src/wire/relay-numbers.ts";

let sent: { type: number; payload: Bytes }[];
let socket: RelaySocket & { isClosed: boolean };
let link: RelayLink;
let got: Bytes[];
let taken: (() => void)[];
let ends: string[];

beforeEach(() => {
  [sent, got, taken, ends] = [[], [], [], []];
  socket = {
    isClosed: false,
    send: (frame) => void sent.push({ type: frame[0] ?? 0, payload: frame.slice(5) }),
    close() {
      this.isClosed = true;
    },
    onmessage: null,
    onclose: null,
  };
  link = new RelayLink(socket);
});

function listen(): void {
  link.listen({
    onBytes: (bytes, done) => {
      got.push(bytes);
      taken.push(done);
    },
    onEnd: (reason) => void ends.push(reason),
  });
}

function arrive(type: number, payload: Uint8Array = new Uint8Array(0)): void {
  const data = concat(Uint8Array.of(type, 0, 0, 0, 0), payload).buffer;
  socket.onmessage?.({ data } as MessageEvent);
}

const number = (value: number): Uint8Array => {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value);
  return bytes;
};
const dataSent = (): number =>
  sent.filter(({ type }) => type === RELAY_FRAME.data).reduce((sum, { payload }) => sum + payload.length, 0);

test("what one turn sends goes as one frame, and no more than there is credit for", async () => {
  listen();
  link.send(utf8("a"));
  link.send(new Uint8Array(RELAY_CREDIT_INITIAL + 10));
  await Promise.resolve();
  expect(dataSent()).toBe(RELAY_CREDIT_INITIAL);
  arrive(RELAY_FRAME.credit, number(100));
  expect(dataSent()).toBe(RELAY_CREDIT_INITIAL + 11);
  link.close();
});

test("what comes before anybody listens waits, and room is made for what is used up", () => {
  arrive(RELAY_FRAME.data, utf8("early"));
  listen();
  expect(got.map((bytes) => new TextDecoder().decode(bytes))).toEqual(["early"]);
  expect(sent).toEqual([]);
  taken[0]?.();
  const [credit] = sent;
  expect(credit?.type).toBe(RELAY_FRAME.credit);
  expect(new DataView((credit?.payload ?? new Uint8Array(4)).buffer).getUint32(0)).toBeGreaterThan(100_000);
  link.close();
});

test("pings are answered", () => {
  arrive(RELAY_FRAME.ping);
  expect(sent).toEqual([{ type: RELAY_FRAME.pong, payload: new Uint8Array(0) }]);
  link.close();
});

test.each<[string, () => void]>([
  ["more than was granted", () => arrive(RELAY_FRAME.data, new Uint8Array(RELAY_CREDIT_INITIAL + 1))],
  ["credit beyond all bounds", () => arrive(RELAY_FRAME.credit, number(RELAY_CREDIT_MAX))],
  ["a type that is none", () => arrive(99)],
  ["an open, which is the relay's to a machine", () => arrive(RELAY_FRAME.open, utf8("{}"))],
  ["a text", () => socket.onmessage?.({ data: "text" } as MessageEvent)],
  ["half a frame", () => socket.onmessage?.({ data: new ArrayBuffer(3) } as MessageEvent)],
  ["the end of data", () => arrive(RELAY_FRAME.eof)],
  ["a reset", () => arrive(RELAY_FRAME.reset, Uint8Array.of(2))],
  ["a reset of a later build", () => arrive(RELAY_FRAME.reset, Uint8Array.of(200))],
  ["the loss of the socket", () => socket.onclose?.({} as CloseEvent)],
])("%s ends it once, with a reason", (_what, act) => {
  listen();
  act();
  act();
  expect([ends.length, socket.isClosed, ends[0] !== ""]).toEqual([1, true, true]);
});

test("an end that came early is told to the one who listens", () => {
  arrive(RELAY_FRAME.reset, Uint8Array.of(9));
  listen();
  expect(ends).toEqual(["your session of the dashboard is over"]);
});

test("closing tells the relay, and nobody here", () => {
  listen();
  link.close();
  expect([sent.at(-1)?.type, ends, socket.isClosed]).toEqual([RELAY_FRAME.reset, [], true]);
});
