/**
 * Bounds on downloads of builds: how many run at once, and how long each may take.
 *
 * A build is some 50 MB, and a slow reader holds a descriptor and buffers of this process until it is done.
 *
 * @module
 */
import { type FileHandle, open } from "node:fs/promises";
import { type Clock, systemClock } from "../../base/clock.ts";
import { createSourceCounter } from "../contracts/keyed-counter.ts";

/** Downloads at once in total, and from one address. Machines behind one gateway wait for each other. */
const DOWNLOADS_MAX = 64;
const PER_SOURCE_MAX = 16;
/** As long as `qf upgrade` waits. */
const DOWNLOAD_MS_MAX = 1_800_000;
const CHUNK_BYTES = 256 * 1024;
/** How often overdue downloads are looked for. */
const LOOK_MS = 10_000;

export interface DownloadTurns {
  /**
   * The file as a stream that is read as fast as its reader takes it. Null: too many downloads are in
   * progress. Throws file system errors. The turn ends when the file is read, cancelled or overdue.
   */
  bodyOf(path: string, source: string): Promise<ReadableStream<Uint8Array> | null>;
  readonly count: number;
  /** Ends overdue downloads. A timer calls this every ten seconds. */
  endOverdue(): void;
}

export interface DownloadTurnsOptions {
  readonly totalMax?: number;
  readonly perSourceMax?: number;
  readonly clock?: Clock;
}

interface Download {
  readonly endMs: number;
  fail(): void;
}

export function createDownloadTurns(options: DownloadTurnsOptions = {}): DownloadTurns {
  const { totalMax = DOWNLOADS_MAX, perSourceMax = PER_SOURCE_MAX, clock = systemClock } = options;
  const counter = createSourceCounter(totalMax, perSourceMax);
  const underWay = new Set<Download>();
  let timer: ReturnType<typeof setInterval> | undefined;

  const endOverdue = (): void => {
    for (const one of [...underWay]) if (clock.monotonicMs() >= one.endMs) one.fail();
  };
  const leave = (one: Download, source: string): boolean => {
    if (!underWay.delete(one)) return false;
    counter.leave(source);
    if (underWay.size === 0) clearInterval(timer);
    return true;
  };
  const enter = (one: Download): void => {
    if (underWay.size === 0) {
      timer = setInterval(endOverdue, LOOK_MS);
      timer.unref();
    }
    underWay.add(one);
  };
  return {
    get count() {
      return underWay.size;
    },
    endOverdue,
    async bodyOf(path, source) {
      if (counter.isFull(source)) return null;
      counter.enter(source);
      const file = await open(path).catch((cause: unknown) => {
        counter.leave(source);
        throw cause;
      });
      return streamOf(file, clock.monotonicMs() + DOWNLOAD_MS_MAX, {
        enter,
        leave: (one) => leave(one, source),
      });
    },
  };
}

function streamOf(
  file: FileHandle,
  endMs: number,
  turns: { enter(one: Download): void; leave(one: Download): boolean },
): ReadableStream<Uint8Array> {
  let download: Download | undefined;
  /** False: the download had ended already. */
  const end = (): boolean => {
    if (download === undefined || !turns.leave(download)) return false;
    void file.close().catch(() => {});
    return true;
  };
  return new ReadableStream<Uint8Array>(
    {
      start(controller) {
        download = {
          endMs,
          fail: () => {
            if (end()) controller.error(new Error("the download takes too long"));
          },
        };
        turns.enter(download);
      },
      async pull(controller) {
        try {
          const chunk = new Uint8Array(CHUNK_BYTES);
          const { bytesRead } = await file.read(chunk, 0, CHUNK_BYTES, null);
          if (bytesRead > 0) controller.enqueue(chunk.subarray(0, bytesRead));
          else if (end()) controller.close();
        } catch (cause) {
          if (end()) controller.error(cause);
        }
      },
      cancel: () => void end(),
    },
    { highWaterMark: 0 },
  );
}
