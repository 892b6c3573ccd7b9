/** Streams to unix sockets here: no answer is lost, whatever the server does after it. */
import { describe, expect, test } from "bun:test";
import { createServer } from "node:net";
import { join } from "node:path";
import { openUnixSocket } from "../../src/ssh/unix-socket.ts";
import { startAnswerServer } from "../support/answer-server.ts";
import { startEcho } from "../support/echo.ts";
import { tempFolder } from "../support/temp-folder.ts";

const TIMES = 300;

describe("openUnixSocket", () => {
  test.each([
    { bytes: 100, says: "" },
    { bytes: 100, says: "a question" },
    { bytes: 150_000, says: "" },
    { bytes: 150_000, says: "a question" },
  ])(
    "hears all $bytes bytes of a server that closes at once, to $says",
    async ({ bytes, says }) => {
      const folder = tempFolder();
      await using server = await startAnswerServer(join(folder, "socket"), bytes);
      let lost = 0;
      for (let i = 0; i < TIMES; i++) {
        const socket = await openUnixSocket(server.path, 1_000);
        if (says !== "") socket.write(says);
        // Whoever reads may be slow.
        if (i % 3 === 0) await Bun.sleep(1);
        let heard = "";
        socket.on("data", (data: Buffer) => {
          heard += data;
        });
        await new Promise((resolve) => socket.once("end", resolve));
        socket.end();
        if (heard !== server.answer) lost++;
      }
      expect(lost).toBe(0);
    },
    30_000,
  );

  test("goes on after the server has ended, and ends after that", async () => {
    const folder = tempFolder();
    const path = join(folder, "socket");
    let heard = "";
    const over = Promise.withResolvers<void>();
    const server = createServer({ allowHalfOpen: true }, (socket) => {
      socket.end("first");
      socket.on("data", (data) => {
        heard += data;
      });
      socket.once("end", () => over.resolve());
    });
    await new Promise<void>((resolve) => server.listen(path, resolve));
    const socket = await openUnixSocket(path, 1_000);
    await new Promise((resolve) => socket.resume().once("end", resolve));
    socket.end("last");
    await over.promise;
    expect(heard).toBe("last");
    server.close();
  });

  test("carries much both ways at once", async () => {
    const folder = tempFolder();
    await using echo = await startEcho(join(folder, "socket"));
    expect(echo.open.size).toBe(0);
    const socket = await openUnixSocket(join(folder, "socket"), 1_000);
    const bytes = Buffer.alloc(4 * 1024 * 1024, "0123456789abcdef0");
    const digest = new Bun.CryptoHasher("sha256");
    socket.on("data", (data: Buffer) => void digest.update(data));
    socket.end(bytes);
    await new Promise((resolve) => socket.once("end", resolve));
    const wanted = new Bun.CryptoHasher("sha256").update(bytes).update("bye").digest("hex");
    expect(digest.digest("hex")).toBe(wanted);
  });
});
