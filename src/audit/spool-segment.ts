/**
 * A segment, one file of the spool: `<number of its first event, 16 digits>.jsonl`, one event a line.
 *
 * A last line that a crash cut short is removed. A file damaged otherwise is set aside under another name,
 * and its readable events are kept.
 *
 * @module
 */
import { constants } from "node:fs";
import { type FileHandle, link, open, readdir, readFile, truncate } from "node:fs/promises";
import { join } from "node:path";
import { parseJson, writeFileAtomic } from "../base/files.ts";
import { newId } from "../base/random.ts";
import { AgentEvent } from "../wire/audit-event.ts";

const NEWLINE = 0x0a;
/** A line begins with its number. */
const LINE_HEAD = /^\{"seq":(\d{1,16}),/;
const LINE_HEAD_BYTES = 32;

export interface Segment {
  readonly path: string;
  /** The first number it may hold; an empty segment still keeps the count. */
  readonly firstSeq: number;
  bytes: number;
  /** When all its events were proven to be in the log, in Unix milliseconds. Absent: not proven. */
  releasedAtMs?: number;
}

/** Damage repaired by `loadSegments`. */
export interface SpoolDamage {
  /** Bytes of an unfinished last line that were cut off. The action it would have permitted never began. */
  readonly cutBytes: number;
  /** Damaged files, by the names they have now. */
  readonly setAside: readonly string[];
}

export function segmentPath(directory: string, firstSeq: number): string {
  return join(directory, `${String(firstSeq).padStart(16, "0")}.jsonl`);
}

/**
 * Loads the segments of `directory` in order and repairs them. `nextSeq`: the number that the next event
 * gets. Calls `onEvent` for each event that was found, with its segment's path and its length in bytes.
 */
export async function loadSegments(
  directory: string,
  onEvent: (path: string, body: AgentEvent["body"], bytes: number) => void,
): Promise<{ segments: Segment[]; nextSeq: number; damage: SpoolDamage }> {
  const names = (await readdir(directory)).filter((name) => /^\d{16}\.jsonl$/.test(name)).sort();
  const segments: Segment[] = [];
  const setAside: string[] = [];
  let cutBytes = 0;
  let nextSeq = 1;
  for (const [index, name] of names.entries()) {
    const path = join(directory, name);
    const firstSeq = Number(name.slice(0, 16));
    const isLast = index === names.length - 1;
    const content = await readFile(path);
    const read = readLines(content, Math.max(firstSeq, nextSeq), (body, bytes) => onEvent(path, body, bytes));
    nextSeq = Math.max(nextSeq, firstSeq, read.lastSeq + 1);
    if (!read.isWhole || (read.tornBytes > 0 && !isLast)) {
      const aside = `${path}.damaged-${newId()}`;
      // Linked, not moved: a crash in between must not lose the number in the file's name.
      await link(path, aside);
      await writeFileAtomic(path, read.lines.map((line) => `${line}\n`).join(""), 0o600);
      setAside.push(aside);
    } else if (read.tornBytes > 0) {
      await truncate(path, content.length - read.tornBytes);
      cutBytes += read.tornBytes;
    }
    const bytes = read.lines.reduce((sum, line) => sum + Buffer.byteLength(line) + 1, 0);
    segments.push({ path, firstSeq, bytes });
  }
  return { segments, nextSeq, damage: { cutBytes, setAside } };
}

interface ReadLines {
  /** Lines with an event whose number is larger than the previous one. */
  readonly lines: string[];
  readonly lastSeq: number;
  /** Bytes after the last newline. */
  readonly tornBytes: number;
  /** Whether every line up to the last newline is valid. */
  readonly isWhole: boolean;
}

function readLines(
  content: Buffer,
  firstSeq: number,
  onEvent: (body: AgentEvent["body"], bytes: number) => void,
): ReadLines {
  const end = content.lastIndexOf(0x0a) + 1;
  const texts =
    end === 0
      ? []
      : content
          .subarray(0, end - 1)
          .toString("utf8")
          .split("\n");
  const lines: string[] = [];
  let lastSeq = firstSeq - 1;
  for (const text of texts) {
    const event = parseEvent(text);
    if (event === undefined || event.seq <= lastSeq) continue;
    lastSeq = event.seq;
    lines.push(text);
    onEvent(event.body, Buffer.byteLength(text));
  }
  const isWhole = lines.length === texts.length;
  // Unreadable lines had numbers too, which must not be reused.
  if (!isWhole) lastSeq = Math.max(lastSeq, firstSeq - 1 + texts.length);
  return { lines, lastSeq, tornBytes: content.length - end, isWhole };
}

function parseEvent(text: string): AgentEvent | undefined {
  const parsed = AgentEvent.safeParse(parseJson(text));
  return parsed.success ? parsed.data : undefined;
}

/** The first events of `segment` from number `fromSeq` on, at most `max`. Unreadable lines are skipped. */
export async function readSegment(
  segment: Segment,
  fromSeq: number,
  max = Number.MAX_SAFE_INTEGER,
): Promise<AgentEvent[]> {
  const content = (await readFile(segment.path)).subarray(0, segment.bytes);
  const events: AgentEvent[] = [];
  for (let at = 0; at < content.length && events.length < max; ) {
    const newline = content.indexOf(NEWLINE, at);
    const end = newline === -1 ? content.length : newline;
    // Skip earlier lines by their number alone: parsing them would take much longer.
    const head = LINE_HEAD.exec(content.toString("latin1", at, Math.min(end, at + LINE_HEAD_BYTES)));
    const isWanted = head === null || Number(head[1]) >= fromSeq;
    const event = isWanted ? parseEvent(content.toString("utf8", at, end)) : undefined;
    if (event !== undefined && event.seq >= fromSeq) events.push(event);
    at = end + 1;
  }
  return events;
}

/**
 * Opens `path` for appending and makes its directory entry durable. A completed write is on disk, as after
 * fdatasync, but in one call: a second trip to another thread takes longer than some disks.
 */
export async function openSegment(directory: string, path: string): Promise<FileHandle> {
  const access = constants.O_WRONLY | constants.O_APPEND | constants.O_DSYNC;
  const flags = access | constants.O_CREAT | constants.O_NOFOLLOW;
  const file = await open(path, flags, 0o600);
  try {
    await syncFolder(directory);
  } catch (cause) {
    // Node ends the process when an open handle is garbage-collected.
    await file.close();
    throw cause;
  }
  return file;
}

async function syncFolder(directory: string): Promise<void> {
  const folder = await open(directory, constants.O_RDONLY);
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/** The first of `events`: at most `max`, and at most `bytesMax` bytes together, but at least one. */
export function firstOf(events: AgentEvent[], max: number, bytesMax: number): AgentEvent[] {
  let bytes = 0;
  const end = events.findIndex((event, index) => {
    bytes += Buffer.byteLength(JSON.stringify(event));
    return index >= max || (index > 0 && bytes > bytesMax);
  });
  return end === -1 ? events : events.slice(0, end);
}
