import { expect, test } from "bun:test";
import { PlainClient } from "../../../src/management/relay/plain-client.ts";
import {
  creditFrame,
  decodeRelayFrame,
  encodeRelayFrame,
  RELAY_CREDIT_INITIAL,
  RELAY_DATA_BYTES_MAX,
  RELAY_FRAME,
  resetFrame,
} from "../../../src/wire/relay.ts";

/** A client's end whose connection takes so many bytes. */
function aClient(takesBytes = Number.POSITIVE_INFINITY) {
  const on = {
    takesBytes,
    written: 0,
    isPaused: false,
    hasEnded: false,
    delivered: [] as [number, number][],
  };
  const client = new PlainClient(
    {
      write(data) {
        const count = Math.min(data.length, on.takesBytes - on.written);
        on.written += count;
        return count;
      },
      end: () => {
        on.hasEnded = true;
      },
      terminate: () => {},
      pause: () => {
        on.isPaused = true;
      },
      resume: () => {
        on.isPaused = false;
      },
    },
    (message) => {
      const frame = decodeRelayFrame(message);
      if (frame !== undefined) on.delivered.push([frame.type, frame.payload.length]);
    },
  );
  return { client, on };
}

const data = (bytes: number) => encodeRelayFrame(RELAY_FRAME.data, 0, Buffer.alloc(bytes));

test("no more is passed on than the machine has granted, and the client is stopped meanwhile", () => {
  const { client, on } = aClient();
  client.receive(Buffer.alloc(RELAY_CREDIT_INITIAL + 10));
  expect(on).toMatchObject({ delivered: [[RELAY_FRAME.data, RELAY_CREDIT_INITIAL]], isPaused: true });
  expect(client.getBufferedAmount()).toBe(10);
  client.send(creditFrame(0, 4));
  expect(on.delivered[1]).toEqual([RELAY_FRAME.data, 4]);
  expect(on.isPaused).toBe(true);
  client.send(creditFrame(0, 1_000));
  expect(on.delivered[2]).toEqual([RELAY_FRAME.data, 6]);
  expect(on.isPaused).toBe(false);
});

test("no frame is larger than a frame may be", () => {
  const { client, on } = aClient();
  client.send(creditFrame(0, 1024 * 1024));
  client.receive(Buffer.alloc(RELAY_DATA_BYTES_MAX + 1));
  expect(on.delivered).toEqual([
    [RELAY_FRAME.data, RELAY_DATA_BYTES_MAX],
    [RELAY_FRAME.data, 1],
  ]);
});

test("the client's end follows its last byte", () => {
  const { client, on } = aClient();
  client.receive(Buffer.alloc(RELAY_CREDIT_INITIAL + 10));
  client.ended();
  expect(on.delivered).toHaveLength(1);
  client.send(creditFrame(0, 1_000));
  expect(on.delivered.slice(1)).toEqual([
    [RELAY_FRAME.data, 10],
    [RELAY_FRAME.eof, 0],
  ]);
});

test("credit is granted for what the client has taken, not for what waits", () => {
  const { client, on } = aClient(1_000);
  client.send(data(RELAY_CREDIT_INITIAL));
  expect(client.getBufferedAmount()).toBe(RELAY_CREDIT_INITIAL - 1_000);
  expect(on.delivered).toEqual([]);
  on.takesBytes = Number.POSITIVE_INFINITY;
  client.drained();
  expect(client.getBufferedAmount()).toBe(0);
  expect(on.delivered).toEqual([[RELAY_FRAME.credit, 4]]);
});

test.each([
  ["reset", () => resetFrame(0, "gone")],
  ["end", () => encodeRelayFrame(RELAY_FRAME.eof, 0)],
])("a machine's %s lets the client read what was sent before", async (name, frame) => {
  const { client, on } = aClient(1_000);
  client.send(data(5_000));
  client.send(frame());
  await Promise.resolve();
  expect([on.hasEnded, on.delivered.length]).toEqual([false, 0]);
  on.takesBytes = 5_000;
  client.drained();
  await Promise.resolve();
  expect(on.written).toBe(5_000);
  if (name === "reset") expect(on.hasEnded).toBe(true);
  // What follows is the relay's to do: both ends have ended.
  else expect(on.delivered).toEqual([[RELAY_FRAME.eof, 0]]);
});

test("once the connection is gone nothing waits, and nothing is passed on", () => {
  const { client, on } = aClient(0);
  client.send(data(5_000));
  client.gone();
  client.receive(Buffer.alloc(10));
  client.ended();
  expect([client.getBufferedAmount(), on.delivered.length]).toEqual([0, 0]);
});
