/**
 * The `ls -l` line that SFTP version 3 sends with each name, in the same columns as OpenSSH's server.
 *
 * @module
 */
import { constants, type Stats } from "node:fs";
import { systemClock } from "../../base/clock.ts";
import { groupName, type LocalTime, localTime, userName } from "./libc.ts";

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
/** Half a year. Older files show their year; newer ones, and those in the future, show their time. */
const RECENT_SECONDS = (365 * 24 * 60 * 60) / 2;
/**
 * Most cached values of each kind. A full cache is cleared. Bounds the memory for folders with many owners.
 */
const CACHED_MAX = 1024;

const TYPES = new Map<number, string>([
  [constants.S_IFDIR, "d"],
  [constants.S_IFCHR, "c"],
  [constants.S_IFBLK, "b"],
  [constants.S_IFREG, "-"],
  [constants.S_IFLNK, "l"],
  [constants.S_IFSOCK, "s"],
  [constants.S_IFIFO, "p"],
]);

const modes = new Map<number, string>();
/** By minutes since 1970, because files in a folder often share them. */
const times = new Map<number, LocalTime>();
const userNames = new Map<number, string>();
const groupNames = new Map<number, string>();

export function longNameOf(name: Buffer, stats: Stats): Buffer {
  const user = cached(userNames, stats.uid, (uid) => userName(uid) ?? String(uid)).padEnd(8);
  const group = cached(groupNames, stats.gid, (gid) => groupName(gid) ?? String(gid)).padEnd(8);
  const links = String(stats.nlink).padStart(3);
  const size = String(stats.size).padStart(8);
  const time = timeOf(Math.floor(stats.mtimeMs / 1000));
  const head = `${cached(modes, stats.mode, modeOf)}  ${links} ${user} ${group} ${size} ${time} `;
  return Buffer.concat([Buffer.from(head), name]);
}

/** `strmode(3)` without the trailing space. */
function modeOf(mode: number): string {
  const special = [0o4000, 0o2000, 0o1000];
  const triads = [6, 3, 0].map((shift, index) => {
    const bits = (mode >> shift) & 7;
    const letter = index === 2 ? "t" : "s";
    const isSpecial = (mode & (special[index] ?? 0)) !== 0;
    const execute = isSpecial ? (bits & 1 ? letter : letter.toUpperCase()) : bits & 1 ? "x" : "-";
    return `${bits & 4 ? "r" : "-"}${bits & 2 ? "w" : "-"}${execute}`;
  });
  return `${TYPES.get(mode & constants.S_IFMT) ?? "?"}${triads.join("")}`;
}

function timeOf(seconds: number): string {
  const { minute, hour, day, month, year } = cached(times, Math.floor(seconds / 60), (minutes) =>
    localTime(minutes * 60),
  );
  const date = `${MONTHS[month]} ${String(day).padStart(2)}`;
  const isRecent = systemClock.nowMs() / 1000 - seconds < RECENT_SECONDS;
  return isRecent ? `${date} ${twoDigits(hour)}:${twoDigits(minute)}` : `${date}  ${year}`;
}

function twoDigits(value: number): string {
  return String(value).padStart(2, "0");
}

function cached<T>(values: Map<number, T>, key: number, find: (key: number) => T): T {
  const known = values.get(key);
  if (known !== undefined) return known;
  if (values.size >= CACHED_MAX) values.clear();
  const value = find(key);
  values.set(key, value);
  return value;
}
