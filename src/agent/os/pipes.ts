/**
 * File descriptors as byte streams with back-pressure: what is not read stays in the kernel, and a
 * write waits until the kernel has taken it.
 *
 * Bun never closes a descriptor it was given by number, so these own theirs and close them once.
 *
 * @module
 */
import { closeSync, writeSync } from "node:fs";
import { openStreamSocket } from "../../base/descriptors.ts";
import { widenPipe } from "../../base/widen-pipe.ts";
import { duplicate, openPipe, setNonBlocking } from "./libc.ts";

export interface FdReader {
  /** The next bytes; null at the end, which is also what any error is taken for. One call at a time. */
  read(): Promise<Uint8Array | null>;
  /** A read that is under way ends with null. */
  close(): void;
}

export interface FdWriter {
  /**
   * Null: the kernel has all of `data`. Else resolves once it has. Rejects when nobody reads any more. One
   * call at a time.
   */
  write(data: Uint8Array): Promise<void> | null;
  /** The other side sees the end of the stream. */
  close(): void;
}

/** What a pipe of Linux holds unless told otherwise. */
const PIPE_BYTES = 65_536;
/** Up to here, what is written goes to the kernel without ado: keys typed, requests. PIPE_BUF of Linux. */
const SMALL_BYTES = 4096;
/** What it holds once somebody has filled it: a wake-up of both sides moves so much more. */
const WIDE_PIPE_BYTES = 256 * 1024;

/** The parent's end of a pipe from a child, and the end to give to it. */
export function openOutputPipe(): { reader: FdReader; childFd: number } {
  const { readFd, writeFd } = openPipe();
  setNonBlocking(readFd);
  return { reader: createFdReader(readFd), childFd: writeFd };
}

/** The parent's end of a pipe to a child, and the end to give to it. */
export function openInputPipe(): { writer: FdWriter; childFd: number } {
  const { readFd, writeFd } = openPipe();
  setNonBlocking(writeFd);
  return { writer: createFdWriter(writeFd), childFd: readFd };
}

/** The parent's end of a stream that goes both ways, and the end to give to a child; that one blocks. */
export function openBothWaysPipe(): { reader: FdReader; writer: FdWriter; childFd: number } {
  const [ownFd, childFd] = openStreamSocket();
  setNonBlocking(ownFd);
  return { ...openBothWays(ownFd), childFd };
}

/** Both directions of one non-blocking descriptor. */
export function openBothWays(fd: number): { reader: FdReader; writer: FdWriter } {
  // One descriptor each: two watchers of one number would be in each other's way in epoll(7).
  return { reader: createFdReader(fd), writer: createFdWriter(duplicate(fd)) };
}

export function createFdReader(fd: number): FdReader {
  let reader: ReadableStreamDefaultReader<Uint8Array> | undefined;
  let isClosed = false;
  let isWide = false;
  return {
    async read() {
      if (isClosed) return null;
      reader ??= Bun.file(fd).stream().getReader();
      try {
        const { value, done } = await reader.read();
        if (done) return null;
        if (!isWide && !isClosed && value.length >= PIPE_BYTES) {
          isWide = true;
          widenPipe(fd, WIDE_PIPE_BYTES);
        }
        return value;
      } catch {
        // EIO is how a terminal says that everybody has left it.
        return null;
      }
    },
    close() {
      if (isClosed) return;
      isClosed = true;
      void reader?.cancel().catch(() => {});
      closeSync(fd);
    },
  };
}

export function createFdWriter(fd: number): FdWriter {
  let sink: Bun.FileSink | undefined;
  let isClosed = false;
  const pour = async (data: Uint8Array): Promise<void> => {
    // Whoever sends more than a pipe holds will do so again.
    if (sink === undefined && data.length >= PIPE_BYTES) widenPipe(fd, WIDE_PIPE_BYTES);
    sink ??= Bun.file(fd).writer();
    await sink.write(data);
    if (!isClosed) await sink.flush();
  };
  return {
    write(data) {
      if (isClosed) return Promise.reject(new Error("the stream is closed"));
      const count = data.length > SMALL_BYTES ? 0 : writeNow(fd, data);
      if (count < 0) return Promise.reject(new Error("nobody reads the stream"));
      return count === data.length ? null : pour(data.subarray(count));
    },
    close() {
      if (isClosed) return;
      isClosed = true;
      // The sink holds a duplicate of its own, which only `end` lets go of at once.
      if (sink !== undefined) void endSink(sink);
      closeSync(fd);
    },
  };
}

/** Bytes that the kernel took at once; -1 when nobody reads any more. */
function writeNow(fd: number, data: Uint8Array): number {
  try {
    return writeSync(fd, data);
  } catch (cause) {
    return (cause as NodeJS.ErrnoException).code === "EAGAIN" ? 0 : -1;
  }
}

async function endSink(sink: Bun.FileSink): Promise<void> {
  try {
    await sink.end();
  } catch {
    // Nobody reads it any more, which is why it is being closed.
  }
}
