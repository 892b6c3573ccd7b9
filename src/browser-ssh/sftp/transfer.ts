/**
 * Transfers of whole files to and from a machine, with many requests in flight.
 *
 * @module
 */
import type { Bytes } from "../bytes.ts";
import { SshFailure } from "../failure.ts";
import type { SftpClient, SftpHandle } from "./sftp-client.ts";
import { OPEN_FLAG } from "./sftp-messages.ts";

/** Bytes requested or sent but not answered yet. */
const UNDER_WAY_BYTES = 2 * 1024 * 1024;

export interface TransferOptions {
  readonly signal?: AbortSignal;
  /** Bytes so far. */
  onProgress?(bytes: number): void;
}

/** Downloads a file in order to `onBytes`. Returns its length. */
export async function download(
  client: SftpClient,
  path: string,
  options: TransferOptions & { onBytes(bytes: Bytes): void | Promise<void> },
): Promise<number> {
  const file = await client.open(path, OPEN_FLAG.read);
  const length = client.readBytes;
  const most = Math.max(1, Math.floor(UNDER_WAY_BYTES / length));
  const reads: Promise<Bytes | null>[] = [];
  let asked = 0;
  let done = 0;
  try {
    while (true) {
      options.signal?.throwIfAborted();
      while (reads.length < most) {
        const reading = wholeRead(client, file, { at: asked, length });
        reading.catch(() => {});
        reads.push(reading);
        asked += length;
      }
      const bytes = await reads.shift();
      if (bytes === null || bytes === undefined) return done;
      await options.onBytes(bytes);
      done += bytes.length;
      options.onProgress?.(done);
      if (bytes.length < length) return done;
    }
  } finally {
    await Promise.allSettled(reads);
    await client.close(file).catch(() => {});
  }
}

/** Reads until the range is complete: a read may fall short in the middle of a file. */
async function wholeRead(
  client: SftpClient,
  file: SftpHandle,
  { at, length }: { readonly at: number; readonly length: number },
): Promise<Bytes | null> {
  const first = await client.read(file, at, length);
  if (first === null || first.length === length) return first;
  const whole = new Uint8Array(length);
  whole.set(first);
  let got = first.length;
  while (got < length) {
    const more = await client.read(file, at + got, length - got);
    if (more === null || more.length === 0) break;
    whole.set(more, got);
    got += more.length;
  }
  return whole.subarray(0, got);
}

/**
 * Writes `source` to `path`. `replace` false: rejects with `refused` if the file exists. A failed transfer
 * removes what it created.
 */
export async function upload(
  client: SftpClient,
  source: Blob,
  { path, replace, ...options }: TransferOptions & { readonly path: string; readonly replace: boolean },
): Promise<void> {
  const how = replace ? OPEN_FLAG.truncate : OPEN_FLAG.exclusive;
  const file = await client.open(path, OPEN_FLAG.write | OPEN_FLAG.create | how);
  try {
    await writeAll(client, file, { source, options });
    await client.close(file);
  } catch (error) {
    await client.close(file).catch(() => {});
    await client.remove(path).catch(() => {});
    throw error;
  }
}

async function writeAll(
  client: SftpClient,
  file: SftpHandle,
  { source, options }: { readonly source: Blob; readonly options: TransferOptions },
): Promise<void> {
  const most = Math.max(1, Math.floor(UNDER_WAY_BYTES / client.writeBytes));
  const writes = new Set<Promise<void>>();
  let failure: unknown = null;
  let done = 0;
  try {
    for (let at = 0; at < source.size; at += client.writeBytes) {
      options.signal?.throwIfAborted();
      if (failure !== null) throw failure;
      const bytes = new Uint8Array(await source.slice(at, at + client.writeBytes).arrayBuffer());
      const writing = client.write(file, at, bytes).then(
        () => {
          done += bytes.length;
          options.onProgress?.(done);
        },
        (error) => {
          failure ??= error;
        },
      );
      writes.add(writing);
      void writing.then(() => writes.delete(writing));
      if (writes.size >= most) await Promise.race(writes);
    }
  } finally {
    await Promise.all(writes);
  }
  if (failure !== null) throw failure;
  if (done !== source.size) throw new SshFailure("refused", "the file changed while it was sent");
}
