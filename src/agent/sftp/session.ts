/**
 * The state of an SFTP session, and the two kinds of operations on it: queries and changes.
 *
 * @module
 */
import type { SshReader } from "../../base/ssh-buffer.ts";
import { type OperationHook, type SftpOperation, TransferLog } from "./audit.ts";
import type { Handles, OpenFile } from "./handles.ts";
import { PACKET_BYTES_MAX, PATH_BYTES_MAX, Status } from "./protocol.ts";
import type { Replies } from "./replies.ts";
import { type Outcome, outcomeOf, SftpRefusal, SUCCESS } from "./status.ts";

export interface SftpSession {
  readonly mode: "write" | "read";
  readonly replies: Replies;
  readonly handles: Handles;
  /** Relative paths start here. Absolute. */
  readonly folder: Buffer;
  /** Null: no listener. */
  readonly hook: OperationHook | null;
}

/** Answers request `id`, whose fields are in `reader`. An error thrown becomes the answer. */
export type Operation = (session: SftpSession, id: number, reader: SshReader) => void;

/** An operation that changes something. It is parsed, announced, then refused or done. */
interface Change<A> {
  parse(reader: SshReader, session: SftpSession): A;
  /** Null: not worth reporting. */
  describe(wish: A, session: SftpSession): SftpOperation | null;
  /** Throws on failure. */
  apply(wish: A, session: SftpSession): void;
}

/** The only way to build a change, because it enforces read-only mode. */
export function changing<A>(change: Change<A>): Operation {
  return (session, id, reader) => {
    const wish = change.parse(reader, session);
    const operation = session.hook === null ? null : change.describe(wish, session);
    const result = announced(session, operation, () => {
      requireWritable(session);
      change.apply(wish, session);
    });
    session.replies.status(id, result);
  };
}

/** Throws a refusal in read-only mode. */
export function requireWritable(session: SftpSession): void {
  if (session.mode === "read") throw new SftpRefusal(Status.permissionDenied, "Permission denied");
}

/** Announces an operation, performs it unless the announcement throws, and reports the outcome. */
export function announced(session: SftpSession, operation: SftpOperation | null, act: () => void): Outcome {
  const settle = operation === null ? undefined : announce(session, operation);
  let result = SUCCESS;
  try {
    act();
  } catch (cause) {
    result = outcomeOf(cause);
  }
  settle?.(result.status);
  return result;
}

function announce(session: SftpSession, operation: SftpOperation): ((status: Status) => void) | undefined {
  try {
    return session.hook?.(operation);
  } catch {
    throw new SftpRefusal(Status.failure, "The operation could not be recorded");
  }
}

/** Reads a path as bytes, which is what the kernel takes. A view of the packet. */
export function parsePath(reader: SshReader): Buffer {
  const path = checkedPath(reader.string(PACKET_BYTES_MAX));
  if (path.length === 0) throw new SftpRefusal(Status.noSuchFile, "No such file");
  return path;
}

/** Checks the bounds of a path, which may be empty. */
export function checkedPath(path: Buffer): Buffer {
  if (path.includes(0)) throw new SftpRefusal(Status.badMessage, "A path holds NUL");
  if (path.length > PATH_BYTES_MAX) throw new SftpRefusal(Status.badMessage, "File name too long");
  return path;
}

/** An absolute path for evidence. */
export function shown(path: Buffer, session: SftpSession): string {
  const text = path.toString("utf8");
  if (text.startsWith("/")) return text;
  const folder = session.folder.toString("utf8");
  return `${folder === "/" ? "" : folder}/${text}`;
}

/** Closes a file and reports its transfer. */
export function closeFile(session: SftpSession, handle: number): Outcome {
  const file = session.handles.file(handle);
  const operation = closeOperation(session, file);
  let settle: ((status: Status) => void) | undefined;
  let result = SUCCESS;
  try {
    settle = operation === null ? undefined : announce(session, operation);
  } catch (cause) {
    result = outcomeOf(cause);
  }
  try {
    session.handles.close(handle);
  } catch (cause) {
    result = outcomeOf(cause);
  }
  settle?.(result.status);
  return result;
}

function closeOperation(session: SftpSession, file: OpenFile): SftpOperation | null {
  if (file.log === null) return null;
  return { op: "close", path: shown(file.path, session), ...file.log.finish(file.fd) };
}

export function newLog(session: SftpSession): TransferLog | null {
  return session.hook === null ? null : new TransferLog();
}
