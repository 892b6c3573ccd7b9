/**
 * Open files: OPEN, CLOSE, READ, WRITE and the other requests that use a handle.
 *
 * @module
 */
import { constants, fstatSync, openSync, writeSync } from "node:fs";
import { applyAttributes, changesOfFile, MODE_BITS, parseAttributes, toSize } from "./attributes.ts";
import type { OpenIntent } from "./audit.ts";
import { Folder } from "./folder.ts";
import { parseHandle } from "./handles.ts";
import { OpenFlag, PACKET_BYTES_MAX, Status } from "./protocol.ts";
import {
  announced,
  changing,
  closeFile,
  newLog,
  type Operation,
  parsePath,
  requireWritable,
  shown,
} from "./session.ts";
import { outcome, SUCCESS } from "./status.ts";

const NEW_FILE_MODE = 0o666;

export const open: Operation = (session, id, reader) => {
  // A copy, because it outlives the packet.
  const path = Buffer.from(parsePath(reader));
  const flags = intentOf(reader.uint32());
  const mode = parseAttributes(reader).permissions;
  const changes = flags.write || flags.append || flags.create || flags.truncate;
  const operation = session.hook === null ? null : { op: "open" as const, path: shown(path, session), flags };
  let handle = -1;
  const result = announced(session, operation, () => {
    if (changes) requireWritable(session);
    session.handles.requireRoom();
    const fd = openNow(path, openFlags(flags), mode === undefined ? NEW_FILE_MODE : mode & MODE_BITS);
    handle = session.handles.addFile({ fd, path, isAppending: flags.append, log: newLog(session) });
  });
  if (result === SUCCESS) session.replies.handle(id, handle);
  else session.replies.status(id, result);
};

function intentOf(bits: number): OpenIntent {
  return {
    read: (bits & OpenFlag.read) !== 0,
    write: (bits & OpenFlag.write) !== 0,
    append: (bits & OpenFlag.append) !== 0,
    create: (bits & OpenFlag.create) !== 0,
    truncate: (bits & OpenFlag.truncate) !== 0,
    exclusive: (bits & OpenFlag.exclusive) !== 0,
  };
}

/**
 * Opens without waiting for the other end of a FIFO or serial line, because nothing could be reported during
 * the wait. It does wait for another program's lease, as any open does.
 */
function openNow(path: Buffer, flags: number, mode: number): number {
  try {
    return openSync(path, flags | constants.O_NONBLOCK, mode);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== "EAGAIN") throw cause;
    return openSync(path, flags, mode);
  }
}

/** O_NOCTTY: the server must not adopt a terminal that it opens. */
function openFlags({ read, write, append, create, truncate, exclusive }: OpenIntent): number {
  const access = write ? (read ? constants.O_RDWR : constants.O_WRONLY) : constants.O_RDONLY;
  return (
    access |
    constants.O_NOCTTY |
    (append ? constants.O_APPEND : 0) |
    (create ? constants.O_CREAT : 0) |
    (truncate ? constants.O_TRUNC : 0) |
    (exclusive ? constants.O_EXCL : 0)
  );
}

export const close: Operation = (session, id, reader) => {
  const handle = parseHandle(reader);
  if (session.handles.isFile(handle)) {
    session.replies.status(id, closeFile(session, handle));
  } else {
    session.handles.close(handle);
    session.replies.status(id, SUCCESS);
  }
};

export const read: Operation = (session, id, reader) => {
  const file = session.handles.file(parseHandle(reader));
  const offset = toSize(reader.uint64());
  const isThere = session.replies.data(id, file, { offset, length: reader.uint32() });
  if (!isThere) session.replies.status(id, outcome(Status.eof));
};

/** Does not use `changing`, because it must cost nothing. OPEN has reported the file, or refused it. */
export const write: Operation = (session, id, reader) => {
  const { fd, log, isAppending } = session.handles.file(parseHandle(reader));
  const offset = toSize(reader.uint64());
  const bytes = reader.string(PACKET_BYTES_MAX);
  requireWritable(session);
  let written = 0;
  while (written < bytes.length) {
    written += writeSync(fd, bytes, written, bytes.length - written, offset + written);
  }
  if (isAppending) log?.lost({ written });
  else log?.wrote(offset, bytes);
  session.replies.status(id, SUCCESS);
};

export const fstat: Operation = (session, id, reader) => {
  session.replies.attributes(id, fstatSync(session.handles.fd(parseHandle(reader))));
};

export const fsetstat = changing({
  parse: (reader, { handles }) => {
    const handle = parseHandle(reader);
    const attributes = parseAttributes(reader);
    return { file: handles.file(handle), attributes };
  },
  describe: ({ file, attributes }, session) => ({
    op: "setstat",
    path: shown(file.path, session),
    attributes,
  }),
  apply: ({ file, attributes }) => applyAttributes(changesOfFile(file.fd), attributes),
});

export const opendir: Operation = (session, id, reader) => {
  const path = parsePath(reader);
  session.handles.requireRoom();
  session.replies.handle(id, session.handles.addFolder(new Folder(path)));
};

export const readdir: Operation = (session, id, reader) => {
  const files = session.handles.folder(parseHandle(reader)).next();
  if (files.length === 0) session.replies.status(id, outcome(Status.eof));
  else session.replies.names(id, files);
};
