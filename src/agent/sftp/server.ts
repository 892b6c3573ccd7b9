/**
 * An SFTP server (version 3) on two descriptors, for a process that already is the user.
 *
 * What may be read or written is the kernel's to say; this only speaks the protocol, within bounds, and
 * keeps read-only mode. One client, one thread, one request after the other: its calls block, since there
 * is nobody else to serve. Read `runSftpServer` first, then files.ts, paths.ts and extensions.ts.
 *
 * @module
 */
import { writeSync } from "node:fs";
import { SshBufferError, SshReader } from "../../base/ssh-buffer.ts";
import type { OperationHook } from "./audit.ts";
import { announcedExtensions, extended } from "./extensions.ts";
import * as files from "./files.ts";
import { Handles } from "./handles.ts";
import { forbidTracing } from "./libc.ts";
import { Packets } from "./packets.ts";
import * as paths from "./paths.ts";
import { Request, SFTP_VERSION, Status } from "./protocol.ts";
import { type BeforeWrite, Replies } from "./replies.ts";
import { closeFile, type Operation, type SftpSession } from "./session.ts";
import { SftpAuditError } from "./sftp-audit-writer.ts";
import { errnoOf, outcome, outcomeOf } from "./status.ts";

export interface SftpServerOptions {
  /** Blocking descriptors. Default 0 and 1. */
  readonly inputFd?: number;
  readonly outputFd?: number;
  /** "read": whatever would change a file system is SSH_FX_PERMISSION_DENIED, before it is touched. */
  readonly mode: "write" | "read";
  /** Absent: nothing is counted or hashed. */
  readonly onOperation?: OperationHook;
  /**
   * Called each time before the client is waited for, when all it asked is answered. A throw ends the server.
   */
  readonly beforeWait?: (inputFd: number) => void;
  readonly beforeWrite?: BeforeWrite;
}

/** How a client that has left looks from here. */
const GONE = new Set(["EPIPE", "ECONNRESET"]);
/** Exit status after a client that does not keep to the protocol, as OpenSSH's server has it. */
const MALFORMED_STATUS = 255;
/** Exit status when what is done cannot be recorded: no session. */
const REFUSED_STATUS = 255;

const OPERATIONS = new Map<number, Operation>([
  [Request.open, files.open],
  [Request.close, files.close],
  [Request.read, files.read],
  [Request.write, files.write],
  [Request.lstat, paths.lstat],
  [Request.fstat, files.fstat],
  [Request.setstat, paths.setstat],
  [Request.fsetstat, files.fsetstat],
  [Request.opendir, files.opendir],
  [Request.readdir, files.readdir],
  [Request.remove, paths.remove],
  [Request.mkdir, paths.mkdir],
  [Request.rmdir, paths.rmdir],
  [Request.realpath, paths.realpath],
  [Request.stat, paths.stat],
  [Request.rename, paths.rename],
  [Request.readlink, paths.readlink],
  [Request.symlink, paths.symlink],
  [Request.extended, extended],
]);

/** Serves until the client has gone. Returns the exit status. Paths are relative to the working directory. */
export function runSftpServer(options: SftpServerOptions): number {
  // Errors are answers here, and made by the thousand: nobody looks at where they come from.
  Error.stackTraceLimit = 0;
  forbidTracing();
  const { inputFd = 0, outputFd = 1 } = options;
  const session: SftpSession = {
    mode: options.mode,
    replies: new Replies(outputFd, options.beforeWrite),
    handles: new Handles(),
    folder: Buffer.from(workingFolder()),
    hook: options.onOperation ?? null,
  };
  try {
    return serve(session, new Packets(inputFd), () => options.beforeWait?.(inputFd));
  } finally {
    closeAll(session);
  }
}

function serve(session: SftpSession, packets: Packets, beforeWait: () => void): number {
  let isGreeted = false;
  try {
    do {
      for (let packet = packets.next(); packet !== null; packet = packets.next()) {
        if (isGreeted) answer(session, packet);
        else greet(session, packet);
        isGreeted = true;
      }
      session.replies.flush();
      beforeWait();
    } while (packets.fill());
  } catch (cause) {
    return end(session, cause);
  }
  return packets.isBetween ? 0 : MALFORMED_STATUS;
}

/** The exit status after `cause`, which no operation has thrown: the stream itself, or what came on it. */
function end(session: SftpSession, cause: unknown): number {
  const { code } = cause as NodeJS.ErrnoException;
  if (code !== undefined && GONE.has(code)) return 0;
  if (cause instanceof SftpAuditError) return REFUSED_STATUS;
  if (cause instanceof SshBufferError) {
    writeSync(2, `qf: error: the SFTP client sent what is not SFTP: ${cause.message}\n`);
    // What came before it has its answers, if anybody still reads them.
    attemptFlush(session);
    return MALFORMED_STATUS;
  }
  if (errnoOf(cause) === undefined) throw cause;
  writeSync(2, `qf: error: the SFTP stream broke: ${code}\n`);
  return MALFORMED_STATUS;
}

function attemptFlush(session: SftpSession): void {
  try {
    session.replies.flush();
  } catch {
    // Nobody does.
  }
}

/** The first packet is INIT, with whatever version of 3 and above the client has; and no other is. */
function greet(session: SftpSession, packet: Buffer): void {
  const reader = new SshReader(packet);
  if (reader.uint8() !== Request.init) throw new SshBufferError("the first packet is not INIT");
  if (reader.uint32() < SFTP_VERSION) throw new SshBufferError("its version is too old");
  session.replies.version(announcedExtensions(session.mode));
}

function answer(session: SftpSession, packet: Buffer): void {
  const reader = new SshReader(packet);
  const type = reader.uint8();
  if (type === Request.init) throw new SshBufferError("a second INIT");
  const id = reader.uint32();
  const operation = OPERATIONS.get(type);
  try {
    if (operation === undefined) session.replies.status(id, outcome(Status.unsupported));
    else operation(session, id, reader);
  } catch (cause) {
    session.replies.status(id, outcomeOf(cause));
  }
}

/** Where the process is; the root when that folder has been removed. */
function workingFolder(): string {
  try {
    return process.cwd();
  } catch {
    return "/";
  }
}

/** A client that leaves without closing has closed: what it wrote is told of. */
function closeAll(session: SftpSession): void {
  for (const handle of session.handles.openFiles()) closeFile(session, handle);
}
