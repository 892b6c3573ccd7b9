/**
 * An SFTP server (version 3) on two descriptors, in a process that already runs as the user.
 *
 * The kernel decides what may be read or written. This speaks the protocol within bounds and enforces
 * read-only mode. It serves one client in one thread, one request at a time, so its calls may block. Read
 * `runSftpServer` first, then files.ts, paths.ts and extensions.ts.
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
  /** "read": every change is refused with SSH_FX_PERMISSION_DENIED before it touches a file. */
  readonly mode: "write" | "read";
  /** Absent: nothing is counted or hashed. */
  readonly onOperation?: OperationHook;
  /**
   * Called before each wait for the client, when all requests have been answered. Throwing ends the server.
   */
  readonly beforeWait?: (inputFd: number) => void;
  readonly beforeWrite?: BeforeWrite;
}

/** Error codes when the client has left. */
const GONE = new Set(["EPIPE", "ECONNRESET"]);
/** Exit status after a protocol violation, as in OpenSSH's server. */
const MALFORMED_STATUS = 255;
/** Exit status when operations cannot be recorded. 255 means "no session". */
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

/** Serves until the client leaves. Returns the exit status. Paths are relative to the working directory. */
export function runSftpServer(options: SftpServerOptions): number {
  // Errors are answers here, thrown by the thousand, so do without stack traces.
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

/** The exit status for an error outside an operation: the stream failed, or carried an invalid packet. */
function end(session: SftpSession, cause: unknown): number {
  const { code } = cause as NodeJS.ErrnoException;
  if (code !== undefined && GONE.has(code)) return 0;
  if (cause instanceof SftpAuditError) return REFUSED_STATUS;
  if (cause instanceof SshBufferError) {
    writeSync(2, `qf: error: the SFTP client sent what is not SFTP: ${cause.message}\n`);
    // Earlier requests still get their answers, if the client reads them.
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
    // The client does not read them.
  }
}

/** The first packet must be INIT, with version 3 or above. No later packet may be. */
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

/** The working directory. `/` if it has been removed. */
function workingFolder(): string {
  try {
    return process.cwd();
  } catch {
    return "/";
  }
}

/** Closes files that a client left open, so that their transfers are reported. */
function closeAll(session: SftpSession): void {
  for (const handle of session.handles.openFiles()) closeFile(session, handle);
}
