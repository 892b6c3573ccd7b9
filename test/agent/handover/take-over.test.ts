import { afterEach, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { takeOver } from "../../../src/agent/handover/take-over.ts";
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
