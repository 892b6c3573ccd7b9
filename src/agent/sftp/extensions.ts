/**
 * OpenSSH's extensions of SFTP version 3, described in OpenSSH's `PROTOCOL` and `sftp-server.c`.
 *
 * @module
 */
import { type BigIntStats, fstatSync, fsyncSync, readSync, writeSync } from "node:fs";
import { SshReader, SshWriter } from "../../base/ssh-buffer.ts";
import { toSize } from "./attributes.ts";
import { parseHandle } from "./handles.ts";
import { fileSystemOf, groupName, homeOf, userName } from "./libc.ts";
import { hardlink, lsetstat, posixRename } from "./paths.ts";
import { DATA_BYTES_MAX, HANDLES_MAX, IDS_MAX, PACKET_BYTES_MAX, Status } from "./protocol.ts";
import { realPath } from "./real-path.ts";
import { changing, checkedPath, type Operation, parsePath, type SftpSession, shown } from "./session.ts";
import { SftpRefusal } from "./status.ts";

interface Extension {
  readonly name: string;
  /** Version announced in SSH_FXP_VERSION. */
  readonly version: string;
  /** Changes are not announced in read-only mode, where `changing` refuses them. */
  readonly isChange: boolean;
  readonly run: Operation;
}

/** ST_RDONLY and ST_NOSUID, the only file system flags the protocol reports. */
const STATVFS_FLAGS = 3n;
const STATVFS_FLAGS_INDEX = 9;
/** Most bytes of names in one answer, each for users and for groups. */
const NAMES_BYTES_MAX = (PACKET_BYTES_MAX - 1024) / 2;
const TILDE = 0x7e;

const fsync = changing({
  parse: (reader, { handles }) => handles.fd(parseHandle(reader)),
  describe: () => null,
  apply: (fd) => fsyncSync(fd),
});

const statvfs: Operation = (session, id, reader) => answerFileSystem(session, id, parsePath(reader));

const fstatvfs: Operation = (session, id, reader) => {
  answerFileSystem(session, id, session.handles.fd(parseHandle(reader)));
};

function answerFileSystem(session: SftpSession, id: number, target: Buffer | number): void {
  const writer = new SshWriter();
  for (const [index, field] of fileSystemOf(target).entries()) {
    writer.uint64(index === STATVFS_FLAGS_INDEX ? field & STATVFS_FLAGS : field);
  }
  session.replies.extended(id, writer.toBuffer());
}

const limits: Operation = (session, id) => {
  const values = [PACKET_BYTES_MAX, DATA_BYTES_MAX, DATA_BYTES_MAX, HANDLES_MAX];
  const writer = new SshWriter();
  for (const value of values) writer.uint64(BigInt(value));
  session.replies.extended(id, writer.toBuffer());
};

/** Makes `~`, `~/path`, `~user/path` and relative paths absolute. */
const expandPath: Operation = (session, id, reader) => {
  const path = checkedPath(reader.string(PACKET_BYTES_MAX));
  const expanded = path[0] === TILDE ? expandTilde(path, session) : path;
  const name = realPath(expanded, session.folder);
  session.replies.names(id, [{ name, longName: name, stats: null }]);
};

function expandTilde(path: Buffer, session: SftpSession): Buffer {
  const slash = path.indexOf("/");
  const user = path.subarray(1, slash < 0 ? path.length : slash);
  const rest = slash < 0 ? Buffer.alloc(0) : path.subarray(slash);
  const home = user.length === 0 ? session.folder : homeFolder(user, Status.noSuchFile);
  return Buffer.concat([home, rest]);
}

/** Home of an account. An empty name means the user's own. */
const homeDirectory: Operation = (session, id, reader) => {
  const user = checkedPath(reader.string(PACKET_BYTES_MAX));
  const name = homeFolder(user, Status.failure);
  session.replies.names(id, [{ name, longName: name, stats: null }]);
};

function homeFolder(user: Buffer, unknown: Status): Buffer {
  const home = homeOf(user.length === 0 ? (process.getuid?.() ?? 0) : user);
  if (home === null) throw new SftpRefusal(unknown, "No such user");
  return Buffer.from(home);
}

const usersGroupsById: Operation = (session, id, reader) => {
  const users = namesOf(reader.string(PACKET_BYTES_MAX), userName);
  const groups = namesOf(reader.string(PACKET_BYTES_MAX), groupName);
  session.replies.extended(id, new SshWriter().string(users).string(groups).toBuffer());
};

/** One name for each id. Empty: the id has none. */
function namesOf(ids: Buffer, find: (id: number) => string | null): Buffer {
  if (ids.length > IDS_MAX * 4) throw new SftpRefusal(Status.badMessage, "Too many ids");
  const reader = new SshReader(ids);
  const writer = new SshWriter();
  let left = NAMES_BYTES_MAX;
  while (!reader.isAtEnd) {
    const name = Buffer.from(find(reader.uint32()) ?? "");
    left -= 4 + name.length;
    if (left < 0) throw new SftpRefusal(Status.failure, "The names do not fit into one answer");
    writer.string(name);
  }
  return writer.toBuffer();
}

/** Copies within the server. Length zero means up to the end of the file. */
const copyData = changing({
  parse: (reader, { handles }) => ({
    source: handles.file(parseHandle(reader)),
    from: toSize(reader.uint64()),
    length: toSize(reader.uint64()),
    target: handles.file(parseHandle(reader)),
    to: toSize(reader.uint64()),
  }),
  describe: ({ source, target, length }, session) => ({
    op: "copy",
    path: shown(source.path, session),
    target: shown(target.path, session),
    bytes: length,
  }),
  apply: ({ source, from, length, target, to }) => {
    const files = [source.fd, target.fd].map((fd) => fstatSync(fd, { bigint: true }));
    // A device without an end would be copied forever.
    if (!files.every((file) => file.isFile())) {
      throw new SftpRefusal(Status.failure, "Only files are copied");
    }
    if (isSameFile(files)) throw new SftpRefusal(Status.failure, "A file is not copied into itself");
    const end = length === 0 ? Number.MAX_SAFE_INTEGER : length;
    const written = copyBytes({ source: source.fd, from, target: target.fd, to, end });
    source.log?.lost({ read: written });
    target.log?.lost({ written });
  },
});

/** A file copied to a later offset in itself would grow until the disk is full. */
function isSameFile([first, second]: readonly BigIntStats[]): boolean {
  return first?.dev === second?.dev && first?.ino === second?.ino;
}

interface Copy {
  readonly source: number;
  readonly from: number;
  readonly target: number;
  readonly to: number;
  /** End offset, exclusive. */
  readonly end: number;
}

function copyBytes({ source, from, target, to, end }: Copy): number {
  const buffer = Buffer.allocUnsafe(DATA_BYTES_MAX);
  let copied = 0;
  while (copied < end) {
    const count = readSync(source, buffer, 0, Math.min(buffer.length, end - copied), from + copied);
    if (count === 0) break;
    let written = 0;
    while (written < count)
      written += writeSync(target, buffer, written, count - written, to + copied + written);
    copied += count;
  }
  return copied;
}

const EXTENSIONS: readonly Extension[] = [
  { name: "posix-rename@openssh.com", version: "1", isChange: true, run: posixRename },
  { name: "statvfs@openssh.com", version: "2", isChange: false, run: statvfs },
  { name: "fstatvfs@openssh.com", version: "2", isChange: false, run: fstatvfs },
  { name: "hardlink@openssh.com", version: "1", isChange: true, run: hardlink },
  { name: "fsync@openssh.com", version: "1", isChange: true, run: fsync },
  { name: "lsetstat@openssh.com", version: "1", isChange: true, run: lsetstat },
  { name: "limits@openssh.com", version: "1", isChange: false, run: limits },
  { name: "expand-path@openssh.com", version: "1", isChange: false, run: expandPath },
  { name: "copy-data", version: "1", isChange: true, run: copyData },
  { name: "home-directory", version: "1", isChange: false, run: homeDirectory },
  { name: "users-groups-by-id@openssh.com", version: "1", isChange: false, run: usersGroupsById },
];

const BY_NAME = new Map(EXTENSIONS.map((extension) => [extension.name, extension]));
const NAME_BYTES_MAX = 256;

/** Extensions that SSH_FXP_VERSION announces in this mode. */
export function announcedExtensions(mode: "write" | "read"): (readonly [name: string, version: string])[] {
  const offered = EXTENSIONS.filter(({ isChange }) => mode === "write" || !isChange);
  return offered.map(({ name, version }) => [name, version]);
}

export const extended: Operation = (session, id, reader) => {
  const name = reader.string(NAME_BYTES_MAX).toString("latin1");
  const extension = BY_NAME.get(name);
  if (extension === undefined) throw new SftpRefusal(Status.unsupported, "Operation unsupported");
  extension.run(session, id, reader);
};
