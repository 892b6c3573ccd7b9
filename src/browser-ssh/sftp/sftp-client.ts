/**
 * SFTP over one channel: many numbered requests at once, answered in any order.
 *
 * @module
 */
import { ByteQueue } from "../byte-queue.ts";
import { ByteReader, type Bytes, type ByteWriter, concat } from "../bytes.ts";
import type { SshConnection } from "../connection.ts";
import { SshFailure } from "../failure.ts";
import { type Session, startSession } from "../session.ts";
import {
  type FileFacts,
  FXP,
  type ListedFile,
  noFacts,
  readFacts,
  readNames,
  request,
  SftpFailure,
  STATUS,
  statusOf,
} from "./sftp-messages.ts";

const VERSION = 3;
const PACKET_BYTES_MAX = 256 * 1024;
/** Bytes of one read or write when the machine announces no limits. */
const CHUNK_BYTES = 32 * 1024;
const CHUNK_BYTES_MAX = 128 * 1024;
const LIMITS = "limits@openssh.com";
const TEXT_BYTES_MAX = 4_096;
const FILES_MAX = 10_000;

interface Answer {
  readonly type: number;
  readonly reader: ByteReader;
}

export interface SftpHandle {
  readonly handle: Bytes;
}

/** Starts the SFTP subsystem. Rejects with `refused` when the grant does not include files. */
export async function openSftp(connection: SshConnection): Promise<SftpClient> {
  const queue = new ByteQueue();
  let client: SftpClient | null = null;
  const session = await startSession(connection, {
    terminal: null,
    run: { subsystem: "sftp" },
    onData: (bytes, isError, used) => {
      if (isError) used();
      else {
        queue.push(bytes, used);
        client?.receive();
      }
    },
  });
  client = new SftpClient(session, queue);
  await client.begin();
  return client;
}

export class SftpClient {
  readonly #session: Session;
  readonly #queue: ByteQueue;
  readonly #waiting = new Map<number, PromiseWithResolvers<Answer>>();
  #nextId = 1;
  #isOver = false;
  /** Most bytes in one read and in one write. */
  readBytes = CHUNK_BYTES;
  writeBytes = CHUNK_BYTES;

  constructor(session: Session, queue: ByteQueue) {
    this.#session = session;
    this.#queue = queue;
    void session.ended.then(() => this.#end(new SshFailure("lost", "the file transfer is over")));
  }

  async begin(): Promise<void> {
    const answer = this.#await(0);
    this.#write(request(FXP.INIT, VERSION, (w) => w));
    const { type, reader } = await answer;
    if (type !== FXP.VERSION) throw new SshFailure("protocol", "the machine does not speak SFTP");
    const extensions = new Set<string>();
    while (reader.left > 0) {
      extensions.add(reader.text(TEXT_BYTES_MAX));
      reader.string(TEXT_BYTES_MAX);
    }
    if (extensions.has(LIMITS)) await this.#askLimits();
  }

  async realpath(path: string): Promise<string> {
    const answer = await this.#ask(FXP.REALPATH, (w) => w.text(path), FXP.NAME);
    return readNames(answer)[0]?.name ?? path;
  }

  async stat(path: string): Promise<FileFacts> {
    return readFacts(await this.#ask(FXP.STAT, (w) => w.text(path), FXP.ATTRS));
  }

  /** Facts of a file. Null: there is no such file. */
  async statIfAny(path: string): Promise<FileFacts | null> {
    return this.stat(path).catch((error) => {
      if (error instanceof SftpFailure && error.status === STATUS.noFile) return null;
      throw error;
    });
  }

  /** Lists a folder, without `.` and `..`, up to 10,000 files. */
  async list(path: string): Promise<ListedFile[]> {
    const handle = (await this.#ask(FXP.OPENDIR, (w) => w.text(path), FXP.HANDLE)).string(TEXT_BYTES_MAX);
    const files: ListedFile[] = [];
    try {
      while (files.length < FILES_MAX) {
        files.push(...readNames(await this.#ask(FXP.READDIR, (w) => w.string(handle), FXP.NAME)));
      }
    } catch (error) {
      if (!isEof(error)) throw error;
    } finally {
      await this.close({ handle });
    }
    return files.filter(({ name }) => name !== "." && name !== "..");
  }

  async open(path: string, flags: number): Promise<SftpHandle> {
    const fill = (w: ByteWriter) => noFacts(w.text(path).uint32(flags));
    return { handle: (await this.#ask(FXP.OPEN, fill, FXP.HANDLE)).string(TEXT_BYTES_MAX) };
  }

  /** Reads from a file. May return fewer bytes than asked for. Null: end of file. */
  async read({ handle }: SftpHandle, at: number, length: number): Promise<Bytes | null> {
    const fill = (w: ByteWriter) => w.string(handle).uint64(BigInt(at)).uint32(length);
    try {
      return (await this.#ask(FXP.READ, fill, FXP.DATA)).string(length);
    } catch (error) {
      if (isEof(error)) return null;
      throw error;
    }
  }

  async write({ handle }: SftpHandle, at: number, bytes: Bytes): Promise<void> {
    await this.#ask(FXP.WRITE, (w) => w.string(handle).uint64(BigInt(at)).string(bytes), FXP.STATUS);
  }

  async close({ handle }: SftpHandle): Promise<void> {
    await this.#ask(FXP.CLOSE, (w) => w.string(handle), FXP.STATUS);
  }

  async makeFolder(path: string): Promise<void> {
    await this.#ask(FXP.MKDIR, (w) => noFacts(w.text(path)), FXP.STATUS);
  }

  async remove(path: string): Promise<void> {
    await this.#ask(FXP.REMOVE, (w) => w.text(path), FXP.STATUS);
  }

  /** Removes an empty folder. */
  async removeFolder(path: string): Promise<void> {
    await this.#ask(FXP.RMDIR, (w) => w.text(path), FXP.STATUS);
  }

  /** Renames a file. Rejects with `refused` if `to` already exists. */
  async rename(from: string, to: string): Promise<void> {
    await this.#ask(FXP.RENAME, (w) => w.text(from).text(to), FXP.STATUS);
  }

  end(): void {
    this.#session.close();
  }

  /** Reads the messages that have arrived on the channel. */
  receive(): void {
    try {
      while (this.#queue.length >= 4) {
        const length = this.#queue.uint32();
        if (length < 5 || length > PACKET_BYTES_MAX)
          throw new SshFailure("protocol", "a file packet too long");
        if (this.#queue.length < 4 + length) return;
        this.#onPacket(this.#queue.take(4 + length).subarray(4));
      }
    } catch (cause) {
      this.#end(new SshFailure("protocol", "the machine answered something else", { cause }));
    }
  }

  #onPacket(packet: Bytes): void {
    const reader = new ByteReader(packet);
    const type = reader.uint8();
    const id = reader.uint32();
    const waiting = this.#waiting.get(type === FXP.VERSION ? 0 : id);
    if (waiting === undefined) throw new SshFailure("protocol", "an answer to nothing");
    this.#waiting.delete(type === FXP.VERSION ? 0 : id);
    waiting.resolve({ type, reader });
  }

  async #ask(type: number, fill: (writer: ByteWriter) => ByteWriter, expected: number): Promise<ByteReader> {
    if (this.#isOver) throw new SshFailure("lost", "the file transfer is over");
    const id = this.#nextId++;
    const answer = this.#await(id);
    this.#write(request(type, id, fill));
    const { type: got, reader } = await answer;
    if (got === FXP.STATUS) {
      const { status, said } = statusOf(reader);
      if (status !== STATUS.ok || expected !== FXP.STATUS) throw new SftpFailure(status, said);
    } else if (got !== expected) throw new SshFailure("protocol", "the machine answered something else");
    return reader;
  }

  #await(id: number): Promise<Answer> {
    const waiting = Promise.withResolvers<Answer>();
    this.#waiting.set(id, waiting);
    return waiting.promise;
  }

  #write(message: ByteWriter): void {
    const bytes = message.done();
    const length = new Uint8Array(4);
    new DataView(length.buffer).setUint32(0, bytes.length);
    this.#session.write(concat(length, bytes)).catch(() => {});
  }

  async #askLimits(): Promise<void> {
    const reader = await this.#ask(FXP.EXTENDED, (w) => w.text(LIMITS), FXP.EXTENDED_REPLY);
    reader.uint64();
    const chunkOf = (limit: bigint) =>
      limit === 0n ? CHUNK_BYTES : Math.max(1, Math.min(Number(limit), CHUNK_BYTES_MAX));
    this.readBytes = chunkOf(reader.uint64());
    this.writeBytes = chunkOf(reader.uint64());
  }

  #end(failure: SshFailure): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#queue.clear();
    for (const { reject } of this.#waiting.values()) reject(failure);
    this.#waiting.clear();
    this.#session.close();
  }
}

function isEof(error: unknown): boolean {
  return error instanceof SftpFailure && error.status === STATUS.eof;
}
