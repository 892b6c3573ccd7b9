import { describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { isQfError } from "../../../src/base/errors.ts";
import { createDownloadTurns } from "../../../src/management/http/download-turns.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { tempFolder } from "../../support/temp-folder.ts";
import { until } from "../../support/until.ts";

const path = join(tempFolder(), "build");
const BYTES = 1_000_000;
writeFileSync(path, Buffer.alloc(BYTES, 7));
/** More than what waits on a connection. */
const large = join(tempFolder(), "large");
writeFileSync(large, Buffer.alloc(32_000_000, 7));

describe("a download", () => {
  test("is whole, and its place is free once it is read", async () => {
    const turns = createDownloadTurns({ totalMax: 1 });
    const body = await turns.bodyOf(path, "192.0.2.1");
    expect(await turns.bodyOf(path, "192.0.2.2")).toBeNull();
    const bytes = new Uint8Array(await new Response(body).arrayBuffer());
    expect([bytes.length, bytes.every((byte) => byte === 7)]).toEqual([BYTES, true]);
    expect(turns.count).toBe(0);
    await (await turns.bodyOf(path, "192.0.2.2"))?.cancel();
    expect(turns.count).toBe(0);
  });

  test("of one address leaves places to others", async () => {
    const turns = createDownloadTurns({ totalMax: 3, perSourceMax: 2 });
    const asked = ["192.0.2.1", "192.0.2.1", "192.0.2.1", "192.0.2.2", "192.0.2.3"];
    const bodies = [];
    for (const source of asked) bodies.push(await turns.bodyOf(path, source));
    expect(bodies.map((body) => body !== null)).toEqual([true, true, false, true, false]);
    for (const body of bodies) await body?.cancel();
    expect(turns.count).toBe(0);
  });

  test("that takes too long is cut, and its place is free", async () => {
    const clock = new FakeClock();
    const turns = createDownloadTurns({ totalMax: 1, clock });
    const reader = (await turns.bodyOf(path, "192.0.2.1"))?.getReader();
    await reader?.read();
    clock.advanceMs(1_799_000);
    turns.endOverdue();
    expect(turns.count).toBe(1);
    clock.advanceMs(1_000);
    turns.endOverdue();
    expect(turns.count).toBe(0);
    expect(
      await reader?.read().then(
        () => "read",
        () => "cut",
      ),
    ).toBe("cut");
  });

  test("of a file that is gone takes no place", async () => {
    const turns = createDownloadTurns({ totalMax: 1 });
    const failed = await turns.bodyOf(`${path}.gone`, "192.0.2.1").catch((error: unknown) => error);
    expect(isQfError(failed) || failed === null).toBe(false);
    expect((await turns.bodyOf(path, "192.0.2.1"))?.cancel()).toBeDefined();
  });
});

test("who reads slowly leaves their place with their connection", async () => {
  const turns = createDownloadTurns();
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch: async () => new Response(await turns.bodyOf(large, "192.0.2.1")),
  });
  const readers = Array.from({ length: 8 }, () => {
    const socket = connect(Number(server.port), "127.0.0.1");
    socket.on("error", () => {});
    socket.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    socket.once("data", () => socket.pause());
    return socket;
  });
  await until("eight downloads", () => turns.count === 8);
  for (const socket of readers) socket.destroy();
  await until("their places", () => turns.count === 0);
  await server.stop(true);
});
