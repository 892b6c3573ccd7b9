/**
 * Sends the SFTP server's audit lines to the agent, which stores and answers each one.
 *
 * A copy, and any operation that removes or gives a name, waits until its line is stored. Other lines are
 * stored together shortly after the operation. Only a few lines may be unanswered; beyond that the client
 * waits. After a refusal nothing more is done for it.
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

/** Most lines without an answer. With their size this bounds what is done but not stored yet. */
const UNANSWERED_MAX = 4;
/** Characters at which a line is sent. */
const LINE_CHARS = 65_536;
/** Longest time that a record waits for more to share its line. */
const HOLD_MS = 50;
/** Longest wait for an answer, in case a disk hangs. */
const ANSWER_TIMEOUT_MS = 30_000;
const DETAIL_CHARS_MAX = 256;
/** Bytes that a writable socket takes without blocking: much less than its capacity. */
const UNBLOCKED_BYTES = 65_536;

/** The agent cannot store operations, or is gone. */
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
/**
 * Stored in advance: afterwards nothing may be left to see, or a copy may take as long as the file is large.
 */
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

  /** `fd` is a blocking socket. */
  constructor(fd: number) {
    this.#fd = fd;
  }

  /** Throws once recording has failed. */
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
   * Sends pending records once they are old enough or the client is silent. Throws once recording has failed.
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
   * How many bytes may be written to the client now. A client that does not read may block the server, but
   * pending records are sent first, once they are old enough. Never throws.
   */
  readonly beforeWrite = (outputFd: number): number => {
    if (this.#held.length === 0) return Number.MAX_SAFE_INTEGER;
    const leftMs = Math.ceil(HOLD_MS - (performance.now() - this.#heldSinceMs));
    if (leftMs > 0 && isWritable(outputFd, leftMs)) return UNBLOCKED_BYTES;
    this.end();
    return Number.MAX_SAFE_INTEGER;
  };

  /** Sends pending records. Never throws. */
  end(): void {
    try {
      this.#send();
    } catch {
      // The agent refused or is gone. The next operation will fail.
    }
  }

  /**
   * The operation is done. A failure to record it ends the server, but does not change the answer to the
   * client.
   */
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

  /** Waits for at least one answer. Throws on a refusal. */
  #takeAnswers(): void {
    if (!isReadable(this.#fd, ANSWER_TIMEOUT_MS)) this.#refuse();
    let count = 0;
    try {
      count = readSync(this.#fd, this.#answers, 0, this.#answers.length, null);
    } catch {
      // Treat it like the end of the socket.
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
