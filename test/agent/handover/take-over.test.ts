import { afterEach, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { takeOver } from "../../../src/agent/handover/take-over.ts";
import { silentLog } from "../../../src/base/log.ts";
import { descriptorOf } from "../../../src/fabric/listen.ts";
import { anId } from "../../support/policy.ts";
import { closeOpened, open, serveRunSocket } from "../../support/run-socket.ts";
import { tempFolder } from "../../support/temp-folder.ts";

afterEach(closeOpened);

test("a successor is given what there is, with the listening sockets, once each", async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  open.push(server);
  const hello = { source: anId("laptop"), nonce: "n", untilSeconds: 9 };
  const listeners = [{ role: "direct" as const, address: "127.0.0.1:1" }];
  const inheritance = { bootId: anId("boot"), startSeconds: 5, hellos: [hello], listeners };
  const { path } = await serveRunSocket({ inheritance, fd: descriptorOf(server) });
  const inherited = await takeOver(path);
  expect(inherited).toMatchObject({ bootId: inheritance.bootId, startSeconds: 5, hellos: [hello] });
  expect(inherited?.take("plain")).toBeUndefined();
  const fd = inherited?.take("direct");
  expect(fd).toBeGreaterThan(2);
  expect(inherited?.take("direct")).toBeUndefined();
  const again = createServer();
  await new Promise<void>((resolve) => again.listen({ fd }, resolve));
  open.push(again);
  expect(again.address()).toEqual(server.address());
});

test("nothing is given where none is expected, nor where nobody runs", async () => {
  const { path } = await serveRunSocket({ inheritance: null });
  expect(await takeOver(path)).toBeNull();
  expect(await takeOver(join(tempFolder(), "none"))).toBeNull();
  expect(existsSync(path)).toBe(true);
});

test.each<[string, string, number]>([
  ["what cannot be read is refused, and said", '{"is":"inheritance","inheritance":{}}\n', 1],
  ["what is no answer is refused, and said", "hello\n", 1],
  ["a refusal is no news", '{"is":"refused"}\n', 0],
])("%s", async (_what, answer, want) => {
  const path = join(tempFolder(), "run.sock");
  const server = createServer((socket) => {
    socket.on("error", () => {});
    socket.on("data", () => socket.end(answer));
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  open.push(server);
  const said: string[] = [];
  expect(await takeOver(path, { ...silentLog, warn: (message) => void said.push(message) })).toBeNull();
  expect(said).toHaveLength(want);
});

test("that nobody runs there, or was killed, is no news", async () => {
  const said: string[] = [];
  const log = { ...silentLog, warn: (message: string) => void said.push(message) };
  expect(await takeOver(join(tempFolder(), "none"), log)).toBeNull();
  expect(said).toEqual([]);
});
