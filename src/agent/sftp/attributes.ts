/**
 * File attributes of SFTP version 3, and how requested changes to them are applied.
 *
 * @module
 */
import {
  chmodSync,
  chownSync,
  fchmodSync,
  fchownSync,
  ftruncateSync,
  futimesSync,
  lchownSync,
  lutimesSync,
  type Stats,
  truncateSync,
  utimesSync,
} from "node:fs";
import type { SshReader } from "../../base/ssh-buffer.ts";
import { changeModeNoFollow } from "./libc.ts";
import { AttributeFlag, PACKET_BYTES_MAX, Status } from "./protocol.ts";
import { SftpRefusal } from "./status.ts";

/** Attributes in a client's request. Absent: leave unchanged. */
export interface Attributes {
  readonly size?: bigint;
  readonly uid?: number;
  readonly gid?: number;
  /** May include file type bits; only 07777 is ever applied. */
  readonly permissions?: number;
  /** Unix seconds, unsigned. */
  readonly atimeSeconds?: number;
  readonly mtimeSeconds?: number;
}

export const MODE_BITS = 0o7777;
/** Bytes that `encodeAttributes` writes. */
export const ATTRIBUTES_BYTES = 32;

/** Reads attributes. Skips extended ones, as OpenSSH does. */
export function parseAttributes(reader: SshReader): Attributes {
  const flags = reader.uint32();
  const size = flags & AttributeFlag.size ? { size: reader.uint64() } : {};
  const owner = flags & AttributeFlag.owner ? { uid: reader.uint32(), gid: reader.uint32() } : {};
  const permissions = flags & AttributeFlag.permissions ? { permissions: reader.uint32() } : {};
  const times =
    flags & AttributeFlag.times ? { atimeSeconds: reader.uint32(), mtimeSeconds: reader.uint32() } : {};
  if (flags & AttributeFlag.extended) skipExtended(reader);
  return { ...size, ...owner, ...permissions, ...times };
}

function skipExtended(reader: SshReader): void {
  // The end of the packet bounds this loop: each pair takes at least eight bytes.
  for (let left = reader.uint32(); left > 0; left--) {
    reader.string(PACKET_BYTES_MAX);
    reader.string(PACKET_BYTES_MAX);
  }
}

/** Writes size, owner, permissions and times at `at`. */
export function encodeAttributes(target: Buffer, at: number, stats: Stats): void {
  const { size, owner, permissions, times } = AttributeFlag;
  target.writeUInt32BE(size | owner | permissions | times, at);
  target.writeUInt32BE(Math.floor(stats.size / 0x1_0000_0000), at + 4);
  target.writeUInt32BE(stats.size >>> 0, at + 8);
  target.writeUInt32BE(stats.uid >>> 0, at + 12);
  target.writeUInt32BE(stats.gid >>> 0, at + 16);
  target.writeUInt32BE(stats.mode >>> 0, at + 20);
  // Version 3 has 32-bit times. Higher bits are dropped, as in other servers.
  target.writeUInt32BE(Math.floor(stats.atimeMs / 1000) >>> 0, at + 24);
  target.writeUInt32BE(Math.floor(stats.mtimeMs / 1000) >>> 0, at + 28);
}

/** System calls that change one file, by path or descriptor. */
interface Changes {
  truncate(size: number): void;
  chmod(mode: number): void;
  utimes(atimeSeconds: number, mtimeSeconds: number): void;
  chown(uid: number, gid: number): void;
}

export function changesOfPath(path: Buffer): Changes {
  return {
    truncate: (size) => truncateSync(path, size),
    chmod: (mode) => chmodSync(path, mode),
    utimes: (atime, mtime) => utimesSync(path, atime, mtime),
    chown: (uid, gid) => chownSync(path, uid, gid),
  };
}

export function changesOfFile(fd: number): Changes {
  return {
    truncate: (size) => ftruncateSync(fd, size),
    chmod: (mode) => fchmodSync(fd, mode),
    utimes: (atime, mtime) => futimesSync(fd, atime, mtime),
    chown: (uid, gid) => fchownSync(fd, uid, gid),
  };
}

/** Changes to a symbolic link itself, which has no size to set. */
export function changesOfLink(path: Buffer): Changes {
  return {
    truncate: () => {
      throw new SftpRefusal(Status.badMessage, "A link has no size to set");
    },
    chmod: (mode) => changeModeNoFollow(path, mode),
    utimes: (atime, mtime) => lutimesSync(path, atime, mtime),
    chown: (uid, gid) => lchownSync(path, uid, gid),
  };
}

/** Applies every requested change in OpenSSH's order, then throws the last failure. */
export function applyAttributes(changes: Changes, wish: Attributes): void {
  let failure: unknown;
  const attempt = (act: () => void): void => {
    try {
      act();
    } catch (cause) {
      failure = cause;
    }
  };
  const { size, permissions, atimeSeconds, mtimeSeconds, uid, gid } = wish;
  if (size !== undefined) attempt(() => changes.truncate(toSize(size)));
  if (permissions !== undefined) attempt(() => changes.chmod(permissions & MODE_BITS));
  if (atimeSeconds !== undefined && mtimeSeconds !== undefined) {
    attempt(() => changes.utimes(atimeSeconds, mtimeSeconds));
  }
  if (uid !== undefined && gid !== undefined) attempt(() => changes.chown(uid, gid));
  if (failure !== undefined) throw failure;
}

/** A size or offset that JavaScript represents exactly, up to 8 PB. No file system goes beyond that. */
export function toSize(value: bigint): number {
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw new SftpRefusal(Status.badMessage, "Bad message");
  return Number(value);
}
