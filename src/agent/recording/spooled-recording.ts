/**
 * A recording in the spool: its chunks in segments on disk, from the first one that management may lack.
 *
 * @module
 */
import {
  closeSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  rmSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { QfError } from "../../base/errors.ts";
import { RECORDING_CHUNK_BYTES_MAX, type RecordingEnd, type RecordingHead } from "../../wire/recording.ts";

const SEGMENT_BYTES = 4 * 1024 * 1024;
const FRAME_HEAD_BYTES = 4;

/** Accounts for the space that each person's recordings take. */
export interface SpoolRoom {
  /** Reserves space. Throws ERR_TOO_MANY where there is none. */
  take(person: string, bytes: number): void;
  /** Counts bytes that exist already or, when negative, are gone. */
  count(person: string, bytes: number): void;
}

interface Segment {
  readonly path: string;
  readonly readFd: number;
  bytes: number;
  /** Its chunks that management has not acknowledged. */
  waiting: number;
}

interface Entry {
  readonly segment: Segment;
  readonly offset: number;
  readonly size: number;
}

export interface SpoolFolder {
  readonly id: string;
  readonly head: RecordingHead;
  readonly folder: string;
  readonly end: RecordingEnd | null;
}

export class SpooledRecording {
  readonly id: string;
  readonly head: RecordingHead;
  readonly #spool: SpoolRoom;
  readonly #folder: string;
  #entries: Entry[] = [];
  /** Number of the first chunk still here. */
  #first = 0;
  #last: Segment | null = null;
  #writeFd = -1;
  #end: RecordingEnd | null;

  constructor(spool: SpoolRoom, { id, head, folder, end }: SpoolFolder) {
    this.id = id;
    this.head = head;
    this.#spool = spool;
    this.#folder = folder;
    this.#end = end;
  }

  static reopen(spool: SpoolRoom, folder: SpoolFolder): SpooledRecording {
    const recording = new SpooledRecording(spool, folder);
    const names = readdirSync(folder.folder).filter((name) => /^\d{8}$/.test(name));
    for (const name of names.sort()) recording.#readSegment(name);
    recording.#last = null;
    return recording;
  }

  /** Numbers of the first chunk that management may lack, and of the next one to be written. */
  get first(): number {
    return this.#first;
  }
  get next(): number {
    return this.#first + this.#entries.length;
  }
  /** Null: more may come. */
  get end(): RecordingEnd | null {
    return this.#end;
  }

  /** Adds a chunk. Throws ERR_TOO_MANY where the person has no space left, and system errors. */
  append(packed: Uint8Array): void {
    const bytes = FRAME_HEAD_BYTES + packed.length;
    this.#spool.take(this.#person, bytes);
    try {
      const segment = this.#segment();
      const frame = Buffer.allocUnsafe(bytes);
      frame.writeUInt32BE(packed.length);
      frame.set(packed, FRAME_HEAD_BYTES);
      if (writeSync(this.#writeFd, frame) !== bytes) throw new QfError("ERR_UNAVAILABLE", "the disk is full");
      this.#add(segment, packed.length);
    } catch (cause) {
      this.#spool.count(this.#person, -bytes);
      throw cause;
    }
  }

  /** Reads chunks from the first one here, up to both limits, but at least one. */
  read({ countMax, bytesMax }: { readonly countMax: number; readonly bytesMax: number }): Uint8Array[] {
    let bytes = 0;
    const wanted = this.#entries.slice(0, countMax).filter(({ size }, i) => {
      bytes += size;
      return i === 0 || bytes <= bytesMax;
    });
    return wanted.map(({ segment, offset, size }) => {
      const packed = Buffer.allocUnsafe(size);
      if (readSync(segment.readFd, packed, 0, size, offset) !== size) {
        throw new QfError("ERR_STATE_DAMAGED", "the spool of recordings is damaged");
      }
      return packed;
    });
  }

  /** Management has every chunk before `next`. */
  acknowledge(next: number): void {
    const gone = this.#entries.splice(0, Math.max(0, next - this.#first));
    this.#first += gone.length;
    for (const { segment, size } of gone) {
      this.#spool.count(this.#person, -FRAME_HEAD_BYTES - size);
      segment.waiting -= 1;
      if (segment.waiting === 0 && segment !== this.#last) drop(segment);
    }
  }

  /** Records the end: there are no more chunks. Throws system errors. */
  finish(end: RecordingEnd): void {
    this.#end = end;
    writeFileSync(join(this.#folder, "end.json"), JSON.stringify(end), { mode: 0o600 });
  }

  /** Closes the files, and leaves them on disk for the next start. */
  close(): void {
    this.#closeWriter();
    const segments = new Set(this.#entries.map(({ segment }) => segment));
    if (this.#last !== null) segments.add(this.#last);
    for (const { readFd } of segments) closeSync(readFd);
    this.#last = null;
    this.#entries = [];
  }

  /** Deletes the recording: management has all of it, or never will. */
  remove(): void {
    this.acknowledge(this.next);
    this.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  get #person(): string {
    return this.head.userId ?? "machine";
  }

  #segment(): Segment {
    if (this.#last !== null && this.#last.bytes < SEGMENT_BYTES) return this.#last;
    const full = this.#last;
    this.#closeWriter();
    const path = join(this.#folder, String(this.next).padStart(8, "0"));
    this.#writeFd = openSync(path, "a", 0o600);
    this.#last = { path, readFd: openSync(path, "r"), bytes: 0, waiting: 0 };
    if (full?.waiting === 0) drop(full);
    return this.#last;
  }

  /** Closes the descriptor only once: its number may belong to another file afterwards. */
  #closeWriter(): void {
    const fd = this.#writeFd;
    this.#writeFd = -1;
    if (fd >= 0) closeSync(fd);
  }

  #add(segment: Segment, size: number): void {
    this.#entries.push({ segment, offset: segment.bytes + FRAME_HEAD_BYTES, size });
    segment.bytes += FRAME_HEAD_BYTES + size;
    segment.waiting += 1;
  }

  /** Reads the whole frames of a segment. A crash may have cut the last one short. */
  #readSegment(name: string): void {
    if (this.#entries.length === 0) this.#first = Number(name);
    // There is a gap before this segment, so management could never take what follows.
    if (Number(name) !== this.next) return;
    const path = join(this.#folder, name);
    const bytes = readFileSync(path);
    const segment: Segment = { path, readFd: openSync(path, "r"), bytes: 0, waiting: 0 };
    while (segment.bytes + FRAME_HEAD_BYTES <= bytes.length) {
      const size = bytes.readUInt32BE(segment.bytes);
      const end = segment.bytes + FRAME_HEAD_BYTES + size;
      if (size === 0 || size > RECORDING_CHUNK_BYTES_MAX || end > bytes.length) break;
      this.#spool.count(this.#person, FRAME_HEAD_BYTES + size);
      this.#add(segment, size);
    }
    if (segment.waiting === 0) closeSync(segment.readFd);
  }
}

function drop({ path, readFd }: Segment): void {
  closeSync(readFd);
  unlinkSync(path);
}
