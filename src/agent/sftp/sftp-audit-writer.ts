/**
 * Writer of the SFTP server's audit lines to the agent, which stores them: lines on a socket, each answered.
 *
 * An operation that removes or gives a name, and a copy, waits until its line is stored. Other lines are
 * stored a moment after the operation, several together, and no more than fit into a few lines. A client
 * without an answer waits; after a refusal it does nothing more.
 *
 * @module
 */
import { readSync, writeSync } from "node:fs";
import type { SftpOperationRecord } from "../../wire/sftp-operation.ts";
import type { Attributes } from "./attributes.ts";
import type { OpenIntent, OperationHook, SftpOperation } from "./audit.ts";
import { LEDGER_LINE, LEDGER_NO, LINE_OPERATIONS_MAX } from "./ledger-line.ts";
import { isReadable, isWritable } from "./libc.ts";
import { Status } from "./protocol.ts";

/** Lines that may be without an answer; with their bound, what may be done and not stored yet. */
const UNANSWERED_MAX = 4;
/** Characters after which a line is sent. */
const LINE_CHARS = 65_536;
/** Longest that what was done is held back, for what comes after it. */
const HOLD_MS = 50;
/** Longest wait for an answer: a disk that hangs. */
const ANSWER_TIMEOUT_MS = 30_000;
const DETAIL_CHARS_MAX = 256;
/** What a socket that takes something takes without a wait: much less than it holds. */
const UNBLOCKED_BYTES = 65_536;

/** The agent cannot store what is done, or has gone. */
export class SftpAuditError extends Error {
  override readonly name = "SftpAuditError";
}

const STATUS_NAMES: Record<Status, SftpOperationRecord["status"]> = {
  [Status.ok]: "ok",
  [Status.eof]: "failure",
  [Status.noSuchFile]: "no_such_file",
  [Status.permissionDenied]: "permission_denied",
  [Status.failure]: "failure",
  [Status.badMessage]: "bad_message",
  [Status.unsupported]: "unsupported",
};
/** Stored before they are done: afterwards nothing is left to see, or it takes as long as a file is large. */
const AWAITED: ReadonlySet<SftpOperation["op"]> = new Set([
  "remove",
  "rmdir",
  "rename",
  "link",
  "symlink",
  "copy",
]);

export class SftpAuditWriter {
  readonly #fd: number;
  readonly #answers = Buffer.alloc(256);
  #number = 0;
  #held: string[] = [];
  #heldChars = 0;
  #heldSinceMs = 0;
  #unanswered = 0;
  #isRefused = false;

  /** `fd` is a socket that blocks. */
  constructor(fd: number) {
    this.#fd = fd;
  }

  /** Throws when nothing more is recorded. */
  readonly onOperation: OperationHook = (operation) => {
    if (this.#isRefused) throw new SftpAuditError("what is done is not recorded");
    const number = ++this.#number;
    const isAwaited = AWAITED.has(operation.op);
    if (isAwaited) {
      this.#hold(recordOf(number, operation, "begun"));
      this.#send();
      while (this.#unanswered > 0) this.#takeAnswers();
    }
    return (status) => {
      if (!isAwaited || status !== Status.ok) this.#settle(recordOf(number, operation, STATUS_NAMES[status]));
    };
  };

  /**
   * Sends what is held once it is old enough or the client is silent. Throws when nothing more is recorded.
   */
  readonly beforeWait = (inputFd: number): void => {
    while (this.#unanswered > 0 && isReadable(this.#fd, 0)) this.#takeAnswers();
    if (this.#held.length > 0) {
      const leftMs = Math.ceil(HOLD_MS - (performance.now() - this.#heldSinceMs));
      if (leftMs <= 0 || !isReadable(inputFd, leftMs)) this.#send();
    }
    if (this.#isRefused) throw new SftpAuditError("what is done is not recorded");
  };

  /**
   * How much may be written to the client now. One that does not read keeps the server waiting for as long as
   * it likes, but nothing back of what was done: that is sent first, once it is old enough. Never throws.
   */
  readonly beforeWrite = (outputFd: number): number => {
    if (this.#held.length === 0) return Number.MAX_SAFE_INTEGER;
    const leftMs = Math.ceil(HOLD_MS - (performance.now() - this.#heldSinceMs));
    if (leftMs > 0 && isWritable(outputFd, leftMs)) return UNBLOCKED_BYTES;
    this.end();
    return Number.MAX_SAFE_INTEGER;
  };

  /** Sends what is held. Never throws. */
  end(): void {
    try {
      this.#send();
    } catch {
      // The agent has said no, or has gone: it knows, and the next operation hears of it.
    }
  }

  /** It is done: that it cannot be recorded ends the server, but is no answer to the client. */
  #settle(record: SftpOperationRecord): void {
    try {
      this.#hold(record);
    } catch (cause) {
      if (!(cause instanceof SftpAuditError)) throw cause;
    }
  }

  #hold(record: SftpOperationRecord): void {
    const json = JSON.stringify(record);
    if (this.#held.length === 0) this.#heldSinceMs = performance.now();
    this.#held.push(json);
    this.#heldChars += json.length;
    if (this.#heldChars >= LINE_CHARS || this.#held.length >= LINE_OPERATIONS_MAX) this.#send();
  }

  #send(): void {
    if (this.#held.length === 0 || this.#isRefused) return;
    while (this.#unanswered >= UNANSWERED_MAX) this.#takeAnswers();
    const line = Buffer.from(`${LEDGER_LINE}[${this.#held.join(",")}]\n`);
    this.#held = [];
    this.#heldChars = 0;
    try {
      for (let at = 0; at < line.length; ) at += writeSync(this.#fd, line, at, line.length - at);
    } catch {
      this.#refuse();
    }
    this.#unanswered += 1;
  }

  /** Waits for at least one. Throws when it is no. */
  #takeAnswers(): void {
    if (!isReadable(this.#fd, ANSWER_TIMEOUT_MS)) this.#refuse();
    let count = 0;
    try {
      count = readSync(this.#fd, this.#answers, 0, this.#answers.length, null);
    } catch {
      // As if it had ended.
    }
    if (count === 0 || this.#answers.subarray(0, count).includes(LEDGER_NO)) this.#refuse();
    this.#unanswered -= count;
  }

  #refuse(): never {
    this.#isRefused = true;
    throw new SftpAuditError("what is done is not recorded");
  }
}

function recordOf(
  number: number,
  operation: SftpOperation,
  status: SftpOperationRecord["status"],
): SftpOperationRecord {
  const { op, path } = operation;
  switch (operation.op) {
    case "open":
      return { number, op, path, detail: intentText(operation.flags), status };
    case "close": {
      const { bytesRead, bytesWritten, sizeBytes, sha256 } = operation;
      return { number, op, path, status, transfer: { bytesRead, bytesWritten, sizeBytes, sha256 } };
    }
    case "rename":
    case "symlink":
    case "link":
      return { number, op, path, target: operation.target, status };
    case "copy":
      return { number, op, path, target: operation.target, detail: `${operation.bytes} bytes`, status };
    case "setstat":
      return { number, op, path, detail: attributesText(operation.attributes), status };
    default:
      return { number, op, path, status };
  }
}

function intentText(flags: OpenIntent): string {
  return Object.entries(flags)
    .filter(([, isSet]) => isSet)
    .map(([name]) => name)
    .join(" ");
}

function attributesText({ permissions, ...rest }: Attributes): string {
  const mode = permissions === undefined ? [] : [`mode=${(permissions & 0o7777).toString(8)}`];
  const others = Object.entries(rest).map(([name, value]) => `${name}=${value}`);
  return [...mode, ...others].join(" ").slice(0, DETAIL_CHARS_MAX);
}
