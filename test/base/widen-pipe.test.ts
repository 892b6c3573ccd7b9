import { expect, test } from "bun:test";
import { closeSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import { openPipe, setNonBlocking } from "../../src/agent/os/libc.ts";
import { widenPipe } from "../../src/base/widen-pipe.ts";
import { tempFolder } from "../support/temp-folder.ts";

/** Bytes that a pipe takes while nobody reads. */
function roomOf(fd: number): number {
  const block = Buffer.alloc(4096);
  let bytes = 0;
  try {
    for (;;) bytes += writeSync(fd, block);
  } catch (error) {
    expect((error as NodeJS.ErrnoException).code).toBe("EAGAIN");
    return bytes;
  }
}

test.each([
  [0, 65_536],
  [65_536, 65_536],
  [262_144, 262_144],
  [200_000, 262_144],
])("a pipe widened to %d bytes takes %d", (asked, wanted) => {
  const { readFd, writeFd } = openPipe();
  setNonBlocking(writeFd);
  if (asked > 0) widenPipe(readFd, asked);
  expect(roomOf(writeFd)).toBe(wanted);
  for (const fd of [readFd, writeFd]) closeSync(fd);
});

test("what is no pipe stays as it is", () => {
  const fd = openSync(join(tempFolder(), "file"), "w");
  expect(() => widenPipe(fd, 262_144)).not.toThrow();
  expect(() => widenPipe(10_000, 262_144)).not.toThrow();
  closeSync(fd);
});
