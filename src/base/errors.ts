/**
 * The closed list of failures, and the one error class that carries them.
 *
 * A denial is not here: it is a value (`wire/decision.ts`). A bug is an `assert`. Read `FAILURES` first.
 *
 * @module
 */

/**
 * Every failure, with its exit status for a shell and its status for an HTTP caller. Codes are API: add,
 * never rename.
 */
export const FAILURES = {
  ERR_USAGE: { exitCode: 2, httpStatus: 400 },
  ERR_BAD_REQUEST: { exitCode: 1, httpStatus: 400 },
  ERR_UNPROCESSABLE: { exitCode: 1, httpStatus: 422 },
  ERR_UNAUTHENTICATED: { exitCode: 1, httpStatus: 401 },
  ERR_FORBIDDEN: { exitCode: 1, httpStatus: 403 },
  /** The action needs a more recent sign-in. */
  ERR_REAUTH_REQUIRED: { exitCode: 1, httpStatus: 403 },
  /** The server's public address has changed. */
  ERR_MOVED: { exitCode: 1, httpStatus: 421 },
  ERR_NOT_FOUND: { exitCode: 1, httpStatus: 404 },
  ERR_METHOD_NOT_ALLOWED: { exitCode: 1, httpStatus: 405 },
  ERR_CONFLICT: { exitCode: 1, httpStatus: 409 },
  /** Something else refers to it. NetBird answers 400 here. */
  ERR_IN_USE: { exitCode: 1, httpStatus: 400 },
  /** This server is not configured for it. */
  ERR_PRECONDITION_FAILED: { exitCode: 1, httpStatus: 412 },
  ERR_TOO_LARGE: { exitCode: 1, httpStatus: 413 },
  ERR_TOO_MANY: { exitCode: 1, httpStatus: 429 },
  ERR_INTERNAL: { exitCode: 1, httpStatus: 500 },
  ERR_UNAVAILABLE: { exitCode: 1, httpStatus: 503 },
  /** A file we wrote cannot be read back. It was set aside under a path that the message names. */
  ERR_STATE_DAMAGED: { exitCode: 1, httpStatus: 500 },
  /** A file on disk was written by a newer version. */
  ERR_STATE_NEWER: { exitCode: 1, httpStatus: 500 },
  ERR_ALREADY_INITIALISED: { exitCode: 1, httpStatus: 409 },
  ERR_NOT_INITIALISED: { exitCode: 1, httpStatus: 503 },
  ERR_NOT_ENROLLED: { exitCode: 1, httpStatus: 409 },
  ERR_PERMISSION: { exitCode: 1, httpStatus: 403 },
  ERR_ADDRESS_IN_USE: { exitCode: 1, httpStatus: 500 },
  ERR_TIMEOUT: { exitCode: 1, httpStatus: 504 },
  ERR_LOGIN_FAILED: { exitCode: 1, httpStatus: 401 },
  ERR_LOGIN_REQUIRED: { exitCode: 1, httpStatus: 401 },
  ERR_TOKEN_INVALID: { exitCode: 1, httpStatus: 401 },
  ERR_CERTIFICATE_INVALID: { exitCode: 1, httpStatus: 401 },
  ERR_HELLO_INVALID: { exitCode: 1, httpStatus: 400 },
  /** 255 is how ssh(1) says "no session". */
  ERR_ACCESS_DENIED: { exitCode: 255, httpStatus: 403 },
  ERR_PEER_UNKNOWN: { exitCode: 255, httpStatus: 404 },
  ERR_PEER_UNREACHABLE: { exitCode: 255, httpStatus: 502 },
  ERR_HOST_KEY_MISMATCH: { exitCode: 255, httpStatus: 502 },
  ERR_SSH: { exitCode: 255, httpStatus: 502 },
} as const;
/** The code of a failure: what tests assert and the API sends. */
export type FailureCode = keyof typeof FAILURES;

/**
 * A failure with a stable code and a message that is safe to show to anyone.
 *
 * The message crosses the SSH banner and the HTTP boundary, so it never holds a token, a key, or
 * text taken from another error. That goes in `cause`, which is logged and never displayed.
 */
export class QfError extends Error {
  override readonly name = "QfError";
  readonly code: FailureCode;
  /** What the person can do next. Printed on its own `hint:` line. */
  readonly hint: string | undefined;

  constructor(code: FailureCode, message: string, options: { hint?: string; cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.code = code;
    this.hint = options.hint;
  }
}

/** Whether `error` is a `QfError`, and has `code` if given. */
export function isQfError(error: unknown, code?: FailureCode): error is QfError {
  return error instanceof QfError && (code === undefined || error.code === code);
}
