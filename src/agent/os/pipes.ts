/**
 * File descriptors as byte streams with back-pressure: unread data stays in the kernel, and a write waits
 * until the kernel has taken it.
 *
 * Bun never closes a descriptor that it was given by number, so the streams own theirs and close them once.
 *
 * @module
 */
import { closeSync, writeSync } from "node:fs";
import { openStreamSocket } from "../../base/descriptors.ts";
import { widenPipe } from "../../base/widen-pipe.ts";
import { duplicate, openPipe, setNonBlocking } from "./libc.ts";

export interface FdReader {
  /** The next bytes. Null at the end and on any error. One call at a time. */
  read(): Promise<Uint8Array | null>;
  /** A pending read ends with null. */
  close(): void;
}

export interface FdWriter {
  /**
   * Null: the kernel has taken all of `data`. Otherwise resolves once it has, and rejects when the other end
   * is closed. One call at a time.
   */
  write(data: Uint8Array): Promise<void> | null;
  /** The other side sees end of file. */
  close(): void;
}

/** Default capacity of a Linux pipe. */
const PIPE_BYTES = 65_536;
/** Writes up to this size, such as keystrokes and requests, are made synchronously. Linux's PIPE_BUF. */
const SMALL_BYTES = 4096;
/** Capacity once a pipe has been full, so that each wake-up moves more. */
const WIDE_PIPE_BYTES = 256 * 1024;

/** A pipe from a child: the parent's end, and the descriptor for the child. */
export function openOutputPipe(): { reader: FdReader; childFd: number } {
  const { readFd, writeFd } = openPipe();
  setNonBlocking(readFd);
  return { reader: createFdReader(readFd), childFd: writeFd };
}

/** A pipe to a child: the parent's end, and the descriptor for the child. */
export function openInputPipe(): { writer: FdWriter; childFd: number } {
  const { readFd, writeFd } = openPipe();
  setNonBlocking(writeFd);
  return { writer: createFdWriter(writeFd), childFd: readFd };
}

/** A two-way stream: the parent's ends, and the child's descriptor, which blocks. */
export function openBothWaysPipe(): { reader: FdReader; writer: FdWriter; childFd: number } {
  const [ownFd, childFd] = openStreamSocket();
  setNonBlocking(ownFd);
  return { ...openBothWays(ownFd), childFd };
}

/** Both directions of one non-blocking descriptor. */
export function openBothWays(fd: number): { reader: FdReader; writer: FdWriter } {
  // One descriptor each, because two watchers of one number would conflict in epoll(7).
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
        // EIO means that the last process has closed the terminal.
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
    // A sender of more than a pipe's capacity will do so again.
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
      // The sink holds its own duplicate, which only `end` releases at once.
      if (sink !== undefined) void endSink(sink);
      closeSync(fd);
    },
  };
}

/** Bytes that the kernel took at once. -1: the other end is closed. */
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
    // The other end is closed, so nothing can be flushed.
  }
}
