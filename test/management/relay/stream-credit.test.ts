import { expect, test } from "bun:test";
import { createStreamCredit } from "../../../src/management/relay/stream-credit.ts";
import {
  creditFrame,
  decodeRelayFrame,
  encodeRelayFrame,
  RELAY_CREDIT_INITIAL,
  RELAY_CREDIT_MAX,
  RELAY_FRAME,
  type RelayFrame,
} from "../../../src/wire/relay.ts";

function frameOf(message: Buffer): RelayFrame {
  const frame = decodeRelayFrame(message);
  if (frame === undefined) throw new Error("no frame");
  return frame;
}
const data = (bytes: number): RelayFrame =>
  frameOf(encodeRelayFrame(RELAY_FRAME.data, 1, Buffer.alloc(bytes)));
const credit = (bytes: number): RelayFrame => frameOf(creditFrame(1, bytes));
const eof = frameOf(encodeRelayFrame(RELAY_FRAME.eof, 1));

test("each end may send its first credit, and not a byte more", () => {
  const books = createStreamCredit();
  expect(books.take("client", data(RELAY_CREDIT_INITIAL))).toBe(true);
  expect(books.take("agent", data(RELAY_CREDIT_INITIAL - 1))).toBe(true);
  expect(books.bytes).toEqual({ client: RELAY_CREDIT_INITIAL, agent: RELAY_CREDIT_INITIAL - 1 });
  expect(books.take("client", data(1))).toBe(false);
});

test("a grant is the other end's to spend", () => {
  const books = createStreamCredit();
  books.take("client", data(RELAY_CREDIT_INITIAL));
  expect(books.take("agent", credit(10))).toBe(true);
  expect(books.take("client", data(10))).toBe(true);
  expect(books.take("client", data(1))).toBe(false);
});

test("no more than the most may be granted, and nothing is no grant", () => {
  expect(createStreamCredit().take("agent", credit(RELAY_CREDIT_MAX - RELAY_CREDIT_INITIAL))).toBe(true);
  expect(createStreamCredit().take("agent", credit(RELAY_CREDIT_MAX - RELAY_CREDIT_INITIAL + 1))).toBe(false);
  expect(createStreamCredit().take("agent", credit(0))).toBe(false);
});

test("an end ends once, sends nothing after it, and the stream is over with both", () => {
  const books = createStreamCredit();
  expect(books.take("client", eof)).toBe(true);
  expect(books.isOver).toBe(false);
  expect(books.take("agent", data(1))).toBe(true);
  expect(books.take("agent", eof)).toBe(true);
  expect(books.isOver).toBe(true);
  expect(books.take("client", data(1))).toBe(false);
  expect(createStreamCredit().take("client", eof) && books.take("client", eof)).toBe(false);
});

test.each(["ping", "pong", "reset"] as const)("a %s is no frame of a stream's books", (type) => {
  const payload = type === "reset" ? Buffer.of(1) : Buffer.alloc(0);
  expect(createStreamCredit().take("client", frameOf(encodeRelayFrame(RELAY_FRAME[type], 1, payload)))).toBe(
    false,
  );
});
