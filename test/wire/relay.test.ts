import { expect, test } from "bun:test";
import {
  creditFrame,
  decodeRelayFrame,
  encodeRelayFrame,
  RELAY_DATA_BYTES_MAX,
  RELAY_FRAME,
  RELAY_FRAME_BYTES_MAX,
  RELAY_FRAME_HEADER_BYTES,
  RELAY_RESET,
  RelayAgentProof,
  RelayOpen,
  type RelayReset,
  resetFrame,
  resetOf,
} from "../../src/wire/relay.ts";
import { testShape } from "../support/shapes.ts";

const types = Object.entries(RELAY_FRAME);
/** Least and most bytes of payload of each type. */
const BOUNDS: Record<string, readonly [number, number]> = {
  open: [2, 4096],
  data: [1, RELAY_DATA_BYTES_MAX],
  credit: [4, 4],
  eof: [0, 0],
  reset: [1, 1],
  ping: [0, 0],
  pong: [0, 0],
};

test.each(types)("a frame of type %s comes back as it was sent, at both ends of its length", (name, type) => {
  const [min, max] = BOUNDS[name] ?? [0, 0];
  for (const length of [min, max]) {
    const payload = Buffer.alloc(length, 7);
    const frame = encodeRelayFrame(type, 0xffff_fffe, payload);
    expect(frame.length).toBe(RELAY_FRAME_HEADER_BYTES + length);
    expect(decodeRelayFrame(frame)).toEqual({ type, streamId: 0xffff_fffe, payload });
  }
});

test.each(types)("a frame of type %s with a byte too few or too many is none", (name, type) => {
  const [min, max] = BOUNDS[name] ?? [0, 0];
  if (min > 0) expect(decodeRelayFrame(encodeRelayFrame(type, 1, Buffer.alloc(min - 1)))).toBeUndefined();
  expect(decodeRelayFrame(encodeRelayFrame(type, 1, Buffer.alloc(max + 1)))).toBeUndefined();
});

test.each([
  ["text", "hello"],
  ["nothing", undefined],
  ["four bytes", Buffer.alloc(4)],
  ["type 0", Buffer.from([0, 0, 0, 0, 1])],
  ["type 8", Buffer.from([8, 0, 0, 0, 1])],
  ["type 255", Buffer.from([255, 0, 0, 0, 1, 0])],
])("%s is no frame", (_, message) => {
  expect(decodeRelayFrame(message)).toBeUndefined();
});

test("the largest frame is one of data", () => {
  const frame = encodeRelayFrame(RELAY_FRAME.data, 1, Buffer.alloc(RELAY_DATA_BYTES_MAX));
  expect(frame.length).toBe(RELAY_FRAME_BYTES_MAX);
});

test.each([1, 65_536, 0xffff_ffff])("a grant of %d bytes says so", (bytes) => {
  expect(decodeRelayFrame(creditFrame(3, bytes))?.payload.readUInt32BE()).toBe(bytes);
});

test.each(Object.keys(RELAY_RESET) as RelayReset[])("a reset with reason %s comes back", (reason) => {
  const frame = decodeRelayFrame(resetFrame(9, reason));
  expect(frame === undefined ? undefined : resetOf(frame)).toBe(reason);
});

test("the reason of a newer build counts as gone", () => {
  const frame = decodeRelayFrame(encodeRelayFrame(RELAY_FRAME.reset, 1, Buffer.from([200])));
  expect(frame === undefined ? undefined : resetOf(frame)).toBe("gone");
});

testShape(
  "a machine's proof",
  RelayAgentProof,
  { peerId: "p".repeat(20), timeSeconds: 1, nonce: "n".repeat(22) },
  { changes: [{ peerId: "" }, { nonce: "" }, { timeSeconds: 1.5 }] },
);
testShape(
  "an open",
  RelayOpen,
  { hello: "h", sourceAddress: "192.0.2.1", sourcePort: 0 },
  { strict: false, changes: [{ hello: "" }, { hello: "h".repeat(1025) }, { sourcePort: -1 }] },
);
