/**
 * The spool of recordings: packed chunks on disk, in order, until management has them. Separate from the
 * audit spool, so that neither takes the other's space.
 *
 * Each running agent has a folder, locked while it runs: an agent that is being replaced runs beside its
 * successor. Each recording has a folder in it, with `head.json`, segments named by the number of their first
 * chunk, and `end.json` once the recording has ended. That folder is deleted when management has everything.
 *
 * @module
 */
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { QfError } from "../../base/errors.ts";
import { tryLock } from "../../base/file-lock.ts";
import { parseJson } from "../../base/files.ts";
import { newId } from "../../base/random.ts";
import { RecordingEnd, RecordingHead } from "../../wire/recording.ts";
import { Id } from "../../wire/units.ts";
import { SpooledRecording, type SpoolRoom } from "./spooled-recording.ts";

const LOCK_NAME = "lock";
/** Bytes that the recordings of one user may hold on disk, and those of all. */
const PERSON_BYTES_MAX = 256 * 1024 * 1024;
const ALL_BYTES_MAX = 1024 * 1024 * 1024;

export interface SpoolBounds {
  readonly personBytesMax: number;
  readonly allBytesMax: number;
}

export class RecordingSpool implements SpoolRoom {
  readonly #directory: string;
  /** This agent's folder. */
  readonly #own: string;
  /** Locks that this agent holds: its own, and those of earlier agents whose recordings it uploads. */
  readonly #locks: number[] = [];
  readonly #bounds: SpoolBounds;
  readonly #bytesOf = new Map<string, number>();
  #bytes = 0;

  constructor(
    directory: string,
    bounds: SpoolBounds = { personBytesMax: PERSON_BYTES_MAX, allBytesMax: ALL_BYTES_MAX },
  ) {
    this.#directory = directory;
    this.#bounds = bounds;
    this.#own = join(directory, newId());
    mkdirSync(this.#own, { recursive: true, mode: 0o700 });
    this.#locks.push(lockOf(this.#own) ?? -1);
  }

  /** Begins a recording. Throws system errors. */
  create(id: string, head: RecordingHead): SpooledRecording {
    const folder = join(this.#own, id);
    mkdirSync(folder, { mode: 0o700 });
    writeFileSync(join(folder, "head.json"), JSON.stringify(head), { mode: 0o600 });
    return new SpooledRecording(this, { id, head, folder, end: null });
  }

  /** Returns the recordings left by agents that no longer run. Removes anything that is not a recording. */
  leftOvers(): SpooledRecording[] {
    const found: SpooledRecording[] = [];
    for (const run of readdirSync(this.#directory)) {
      const folder = join(this.#directory, run);
      const lock = folder === this.#own ? null : lockOf(folder);
      if (lock === null) continue;
      const left = this.#leftIn(folder);
      found.push(...left);
      if (left.length > 0) this.#locks.push(lock);
      else {
        rmSync(folder, { recursive: true, force: true });
        closeSync(lock);
      }
    }
    return found;
  }

  /** Releases the locks, so that a later agent can take what is left. */
  close(): void {
    if (readdirSync(this.#own).length <= 1) rmSync(this.#own, { recursive: true, force: true });
    for (const lock of this.#locks.splice(0)) if (lock >= 0) closeSync(lock);
  }

  #leftIn(run: string): SpooledRecording[] {
    const found: SpooledRecording[] = [];
    for (const id of readdirSync(run)) {
      if (id === LOCK_NAME) continue;
      const folder = join(run, id);
      const head = RecordingHead.safeParse(readJson(join(folder, "head.json")));
      const end = RecordingEnd.safeParse(readJson(join(folder, "end.json"))).data;
      if (!Id.safeParse(id).success || !head.success) rmSync(folder, { recursive: true, force: true });
      else found.push(SpooledRecording.reopen(this, { id, head: head.data, folder, end: end ?? null }));
    }
    return found;
  }

  /** Reserves space. Throws ERR_TOO_MANY where there is none. */
  take(person: string, bytes: number): void {
    const own = (this.#bytesOf.get(person) ?? 0) + bytes;
    if (own > this.#bounds.personBytesMax || this.#bytes + bytes > this.#bounds.allBytesMax) {
      throw new QfError("ERR_TOO_MANY", "the spool of recordings is full");
    }
    this.count(person, bytes);
  }

  count(person: string, bytes: number): void {
    const own = (this.#bytesOf.get(person) ?? 0) + bytes;
    if (own <= 0) this.#bytesOf.delete(person);
    else this.#bytesOf.set(person, own);
    this.#bytes += bytes;
  }
}

/**
 * Locks an agent's folder until the descriptor is closed. Null: its agent is running, or there is no such
 * folder.
 */
function lockOf(folder: string): number | null {
  let fd: number;
  try {
    fd = openSync(join(folder, LOCK_NAME), "a", 0o600);
  } catch {
    return null;
  }
  if (tryLock(fd)) return fd;
  closeSync(fd);
  return null;
}

function readJson(path: string): unknown {
  try {
    return existsSync(path) ? parseJson(readFileSync(path, "utf8")) : undefined;
  } catch {
    return undefined;
  }
}
