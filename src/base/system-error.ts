/**
 * Operating system errors as one line for people: the file first, then the reason.
 *
 * @module
 */

const REASONS: Readonly<Record<string, { readonly text: string; readonly hint?: string }>> = {
  EACCES: { text: "permission denied", hint: "check its owner and mode, and those of its folder" },
  EPERM: { text: "not permitted" },
  ENOENT: { text: "no such file or folder" },
  EEXIST: { text: "something else is there already" },
  ENOTDIR: { text: "not a folder" },
  EISDIR: { text: "a folder, not a file" },
  ELOOP: { text: "too many symbolic links" },
  ENAMETOOLONG: { text: "the name is too long" },
  ENOSPC: { text: "the disk is full", hint: "make room, then try again" },
  EDQUOT: { text: "the disk quota is used up", hint: "make room, then try again" },
  EROFS: { text: "the file system is read-only" },
  EIO: { text: "the disk does not answer as it should" },
  EMFILE: { text: "too many open files", hint: "raise the limit: ulimit -n" },
  ENFILE: { text: "too many open files on this machine" },
};

/**
 * The line for `error`, `path: reason (call)`, with a hint where there is one. Undefined when it is not a
 * system error or has no wording here.
 */
export function systemFailure(
  error: unknown,
): { readonly message: string; readonly hint?: string } | undefined {
  if (!(error instanceof Error)) return undefined;
  const { code, path, syscall } = error as NodeJS.ErrnoException;
  if (code === undefined || !Object.hasOwn(REASONS, code)) return undefined;
  const reason = REASONS[code];
  if (reason === undefined) return undefined;
  const message = `${path ?? "a file"}: ${reason.text}${syscall === undefined ? "" : ` (${syscall})`}`;
  return { message, ...(reason.hint === undefined ? {} : { hint: reason.hint }) };
}

/** `cause` with the path of its file, which some errors, such as a full disk, lack. */
export function named(cause: unknown, path: string): unknown {
  return cause instanceof Error && !("path" in cause) ? Object.assign(cause, { path }) : cause;
}
