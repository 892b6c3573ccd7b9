/** The listener of --plain-ssh-listen. */
import { expect, test } from "bun:test";
import { connect, createServer } from "node:net";
import type { Duplex } from "node:stream";
import type { StreamOrigin } from "../../../src/agent/contracts/stream-origin.ts";
import { createPlainListener } from "../../../src/agent/listeners/plain-listener.ts";
import { isQfError } from "../../../src/base/errors.ts";

function aListener() {
  const accepted: StreamOrigin[] = [];
  const accept = (stream: Duplex, origin: StreamOrigin): void => {
    accepted.push(origin);
    stream.end("SSH-2.0-here\r\n");
  };
  return { listener: createPlainListener({ accept }), accepted };
}

function greeting(address: string): Promise<string> {
  const port = Number(address.split(":").at(-1));
  return new Promise((resolve) => {
    let text = "";
    const socket = connect({ host: "127.0.0.1", port });
    socket.on("data", (chunk) => {
      text += chunk;
    });
    socket.on("error", () => resolve("refused")).on("close", () => resolve(text));
  });
}

test("a plain listener hands streams over at once, with where they come from and no device", async () => {
  const { listener, accepted } = aListener();
  await listener.listenAt("127.0.0.1:0");
  expect(await greeting(listener.addresses()[0] ?? "")).toBe("SSH-2.0-here\r\n");
  expect(accepted).toMatchObject([{ path: "plain", sourceAddress: "127.0.0.1", sourcePeerId: null }]);
  await listener.listenAt(null);
});

test("a plain listener moves, and stops", async () => {
  const { listener } = aListener();
  expect(listener.addresses()).toEqual([]);
  await listener.listenAt("127.0.0.1:0");
  const first = listener.addresses()[0] ?? "";
  await listener.listenAt(null);
  expect(listener.addresses()).toEqual([]);
  expect(await greeting(first)).toBe("refused");
});

test("a plain listener that cannot move stays, and names its flag", async () => {
  const { listener } = aListener();
  await listener.listenAt("127.0.0.1:0");
  const before = listener.addresses();
  const taken = createServer();
  await new Promise<void>((resolve) => taken.listen(0, "127.0.0.1", () => resolve()));
  const { port } = taken.address() as { port: number };
  const failure = await listener.listenAt(`127.0.0.1:${port}`).catch((cause: unknown) => cause);
  taken.close();
  expect(isQfError(failure, "ERR_ADDRESS_IN_USE")).toBe(true);
  expect((failure as { hint?: string }).hint).toContain("--plain-ssh-listen");
  expect(listener.addresses()).toEqual(before);
  expect(await greeting(before[0] ?? "")).toBe("SSH-2.0-here\r\n");
  await listener.listenAt(null);
});
