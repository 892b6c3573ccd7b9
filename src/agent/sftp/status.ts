/**
 * Maps kernel errors to SFTP status codes as OpenSSH does, with the kernel's error text as the message.
 *
 * @module
 */
import { constants } from "node:os";
import { SshBufferError } from "../../base/ssh-buffer.ts";
import { Status } from "./protocol.ts";

/** A failure that did not come from a system call. */
export class SftpRefusal extends Error {
  override readonly name = "SftpRefusal";
  readonly status: Status;

  constructor(status: Status, message: string) {
    super(message);
    this.status = status;
  }
}

/** A failed system call that is not one of node:fs. */
export class ErrnoError extends Error {
  override readonly name = "ErrnoError";
  /** Negative, as in node:fs. */
  readonly errno: number;

  constructor(errno: number) {
    super("a system call failed");
    this.errno = -errno;
  }
}

export interface Outcome {
  readonly status: Status;
  /** For a person. Never more than the kernel said. */
  readonly message: string;
}

const MESSAGES: Record<Status, string> = {
  [Status.ok]: "Success",
  [Status.eof]: "End of file",
  [Status.noSuchFile]: "No such file",
  [Status.permissionDenied]: "Permission denied",
  [Status.failure]: "Failure",
  [Status.badMessage]: "Bad message",
  [Status.unsupported]: "Operation unsupported",
};

export const SUCCESS: Outcome = outcome(Status.ok);

/** The outcome with a status and its standard message. */
export function outcome(status: Status): Outcome {
  return { status, message: MESSAGES[status] };
}

const { errno: E } = constants;
const STATUS_BY_ERRNO = new Map<number, Status>([
  [E.ENOENT, Status.noSuchFile],
  [E.ENOTDIR, Status.noSuchFile],
  [E.EBADF, Status.noSuchFile],
  [E.ELOOP, Status.noSuchFile],
  [E.EPERM, Status.permissionDenied],
  [E.EACCES, Status.permissionDenied],
  [E.EFAULT, Status.permissionDenied],
  [E.ENAMETOOLONG, Status.badMessage],
  [E.EINVAL, Status.badMessage],
  [E.ENOSYS, Status.unsupported],
]);

/** SSH_FX_FAILURE says nothing, so these messages name errors that a person can act on. */
const FAILURE_MESSAGES = new Map<number, string>([
  [E.EEXIST, "File exists"],
  [E.ENOTEMPTY, "Directory not empty"],
  [E.EISDIR, "Is a directory"],
  [E.ENOSPC, "No space left on device"],
  [E.EDQUOT, "Disk quota exceeded"],
  [E.EFBIG, "File too large"],
  [E.EROFS, "Read-only file system"],
  [E.EXDEV, "Invalid cross-device link"],
  [E.EMFILE, "Too many open files"],
  [E.ENFILE, "Too many open files in system"],
  [E.ETXTBSY, "Text file busy"],
  [E.EBUSY, "Device or resource busy"],
  [E.EMLINK, "Too many links"],
  [E.EIO, "Input/output error"],
  [E.ENXIO, "No such device or address"],
  [E.ESPIPE, "Illegal seek"],
  [E.EOPNOTSUPP, "Operation not supported"],
]);

/** The answer for a failed operation. Rethrows a malformed packet or a bug. */
export function outcomeOf(cause: unknown): Outcome {
  if (cause instanceof SftpRefusal) return { status: cause.status, message: cause.message };
  if (cause instanceof SshBufferError) throw cause;
  const errno = (cause as { errno?: unknown }).errno;
  if (typeof errno !== "number") throw cause;
  const status = STATUS_BY_ERRNO.get(-errno) ?? Status.failure;
  const message = status === Status.failure ? FAILURE_MESSAGES.get(-errno) : undefined;
  return { status, message: message ?? MESSAGES[status] };
}

/** The error number of a failed system call. Undefined: anything else. */
export function errnoOf(cause: unknown): number | undefined {
  const errno = (cause as { errno?: unknown } | null)?.errno;
  return typeof errno === "number" ? -errno : undefined;
}
