import { expect, test } from "bun:test";
import { closeSync, openSync, readSync, writeSync } from "node:fs";
import { adoptSocket } from "../../src/base/adopt-socket.ts";
import { openCLibrary } from "../../src/base/c-library.ts";
import { openStreamSocket } from "../../src/base/descriptors.ts";

function shutdownWrites(fd: number): void {
  openCLibrary({ shutdown: { args: ["i32", "i32"], returns: "i32" } })?.shutdown(fd, 1);
}

test("bytes go both ways, and one side may end while the other goes on", async () => {
  const [ours, theirs] = openStreamSocket();
  const received: string[] = [];
  const closed = Promise.withResolvers<void>();
  const socket = await adoptSocket(ours, {
    data: (_socket, data) => void received.push(data.toString()),
    close: () => closed.resolve(),
  });
  expect(socket.write("hello")).toBe(5);
  socket.shutdown();
  const buffer = Buffer.alloc(16);
  expect(buffer.toString("utf8", 0, readSync(theirs, buffer))).toBe("hello");
  expect(readSync(theirs, buffer)).toBe(0); // Our side has ended; theirs still writes.
  writeSync(theirs, "back");
  closeSync(theirs);
  await closed.promise;
  expect(received.join("")).toBe("back");
});

test("the other side's end is told while ours still writes", async () => {
  const [ours, theirs] = openStreamSocket();
  const ended = Promise.withResolvers<void>();
  const socket = await adoptSocket(ours, { data: () => {}, end: () => ended.resolve() });
  shutdownWrites(theirs);
  await ended.promise;
  expect(socket.write("still here")).toBe(10);
  const buffer = Buffer.alloc(16);
  expect(buffer.toString("utf8", 0, readSync(theirs, buffer))).toBe("still here");
  socket.terminate();
  closeSync(theirs);
});

test("what is no socket is refused", async () => {
  const fd = openSync("/dev/null", "r");
  const outcome = await adoptSocket(fd, { data: () => {} }).then(
    () => "adopted",
    () => "refused",
  );
  expect(outcome).toBe("refused");
});
