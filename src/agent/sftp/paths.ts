/**
 * Requests by path: file attributes, links, and all changes that need no open file.
 *
 * @module
 */
import {
  linkSync,
  lstatSync,
  mkdirSync,
  readlinkSync,
  renameSync,
  rmdirSync,
  statSync,
  symlinkSync,
  unlinkSync,
} from "node:fs";
import { constants } from "node:os";
import type { SshReader } from "../../base/ssh-buffer.ts";
import { applyAttributes, changesOfLink, changesOfPath, MODE_BITS, parseAttributes } from "./attributes.ts";
import { renameNoReplace } from "./libc.ts";
import { PACKET_BYTES_MAX } from "./protocol.ts";
import { realPath } from "./real-path.ts";
import { changing, checkedPath, type Operation, parsePath, shown } from "./session.ts";
import { ErrnoError, errnoOf } from "./status.ts";

const NEW_FOLDER_MODE = 0o777;

export const stat: Operation = (session, id, reader) => {
  session.replies.attributes(id, statSync(parsePath(reader)));
};

export const lstat: Operation = (session, id, reader) => {
  session.replies.attributes(id, lstatSync(parsePath(reader)));
};

export const realpath: Operation = (session, id, reader) => {
  const path = reader.string(PACKET_BYTES_MAX);
  // An empty path means the folder of relative paths.
  const name = path.length === 0 ? session.folder : realPath(checkedPath(path), session.folder);
  session.replies.names(id, [{ name, longName: name, stats: null }]);
};

export const readlink: Operation = (session, id, reader) => {
  const name = readlinkSync(parsePath(reader), { encoding: "buffer" });
  session.replies.names(id, [{ name, longName: name, stats: null }]);
};

export const setstat = changing({
  parse: (reader) => ({ path: parsePath(reader), attributes: parseAttributes(reader) }),
  describe: ({ path, attributes }, session) => ({ op: "setstat", path: shown(path, session), attributes }),
  apply: ({ path, attributes }) => applyAttributes(changesOfPath(path), attributes),
});

export const lsetstat = changing({
  parse: (reader) => ({ path: parsePath(reader), attributes: parseAttributes(reader) }),
  describe: ({ path, attributes }, session) => ({ op: "setstat", path: shown(path, session), attributes }),
  apply: ({ path, attributes }) => applyAttributes(changesOfLink(path), attributes),
});

export const remove = changing({
  parse: parsePath,
  describe: (path, session) => ({ op: "remove", path: shown(path, session) }),
  apply: (path) => unlinkSync(path),
});

export const mkdir = changing({
  parse: (reader) => ({ path: parsePath(reader), mode: parseAttributes(reader).permissions }),
  describe: ({ path }, session) => ({ op: "mkdir", path: shown(path, session) }),
  apply: ({ path, mode }) => {
    mkdirSync(path, mode === undefined ? NEW_FOLDER_MODE : mode & MODE_BITS);
  },
});

export const rmdir = changing({
  parse: parsePath,
  describe: (path, session) => ({ op: "rmdir", path: shown(path, session) }),
  apply: (path) => rmdirSync(path),
});

/** Version 3: an existing target is not replaced. */
export const rename = changing({
  parse: parseTwoPaths,
  describe: ({ from, to }, session) => ({
    op: "rename",
    path: shown(from, session),
    target: shown(to, session),
    replace: false,
  }),
  apply: ({ from, to }) => renameUnlessTaken(from, to),
});

export const posixRename = changing({
  parse: parseTwoPaths,
  describe: ({ from, to }, session) => ({
    op: "rename",
    path: shown(from, session),
    target: shown(to, session),
    replace: true,
  }),
  apply: ({ from, to }) => renameSync(from, to),
});

/** OpenSSH's argument order, not the draft's: the link's text first. Every client knows this. */
export const symlink = changing({
  parse: (reader) => ({ target: parsePath(reader), path: parsePath(reader) }),
  describe: ({ path, target }, session) => ({
    op: "symlink",
    path: shown(path, session),
    target: target.toString("utf8"),
  }),
  apply: ({ path, target }) => symlinkSync(target, path),
});

export const hardlink = changing({
  parse: parseTwoPaths,
  describe: ({ from, to }, session) => ({
    op: "link",
    path: shown(to, session),
    target: shown(from, session),
  }),
  apply: ({ from, to }) => linkSync(from, to),
});

function parseTwoPaths(reader: SshReader): { from: Buffer; to: Buffer } {
  return { from: parsePath(reader), to: parsePath(reader) };
}

function renameUnlessTaken(from: Buffer, to: Buffer): void {
  try {
    renameNoReplace(from, to);
  } catch (cause) {
    const errno = errnoOf(cause);
    if (errno !== constants.errno.EINVAL && errno !== constants.errno.ENOSYS) throw cause;
    // The file system cannot guarantee it, so check first, as OpenSSH does.
    if (lstatSync(to, { throwIfNoEntry: false }) !== undefined) throw new ErrnoError(constants.errno.EEXIST);
    renameSync(from, to);
  }
}
