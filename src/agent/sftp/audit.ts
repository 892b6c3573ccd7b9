/**
 * Reports of the SFTP server about its operations: each one before it happens, and its outcome afterwards.
 *
 * Without a listener a report costs nothing.
 *
 * @module
 */
import { fstatSync } from "node:fs";
import type { Attributes } from "./attributes.ts";
import type { Status } from "./protocol.ts";

/**
 * Paths are absolute but not resolved, so they may contain symbolic links. Bytes that are not UTF-8 are lost.
 */
export type SftpOperation =
  | { readonly op: "open"; readonly path: string; readonly flags: OpenIntent }
  | ({ readonly op: "close"; readonly path: string } & Transfer)
  | { readonly op: "rename"; readonly path: string; readonly target: string; readonly replace: boolean }
  | { readonly op: "remove" | "mkdir" | "rmdir"; readonly path: string }
  /** `target` is the link's text as the client sent it. */
  | { readonly op: "symlink"; readonly path: string; readonly target: string }
  /** `path` is the new name of the file at `target`. */
  | { readonly op: "link"; readonly path: string; readonly target: string }
  | { readonly op: "setstat"; readonly path: string; readonly attributes: Attributes }
  /** From one open file to another, within the server. */
  | { readonly op: "copy"; readonly path: string; readonly target: string; readonly bytes: number };

export interface OpenIntent {
  readonly read: boolean;
  readonly write: boolean;
  readonly append: boolean;
  readonly create: boolean;
  readonly truncate: boolean;
  readonly exclusive: boolean;
}

/** The transfer through one open file. */
export interface Transfer {
  readonly bytesRead: number;
  readonly bytesWritten: number;
  /** Size when the file is closed. 0 if its file system does not say. */
  readonly sizeBytes: number;
  /**
   * SHA-256 of the whole file, in hex, if it was read or written completely and in order. Null: otherwise.
   */
  readonly sha256: string | null;
}

/**
 * Called before an operation touches anything (for a close: once its counts are known). Throwing refuses it
 * with SSH_FX_FAILURE, but a close still closes. The returned function gets the outcome. In read-only mode
 * changes are announced too, and their outcome is `Status.permissionDenied`.
 */
export type OperationHook = (operation: SftpOperation) => ((status: Status) => void) | undefined;

/** Tracks one open file for the report of its `close`. */
export class TransferLog {
  #bytesRead = 0;
  #bytesWritten = 0;
  /** Null once bytes came out of order. */
  #hash: Bun.CryptoHasher | null = new Bun.CryptoHasher("sha256");
  #hashedBytes = 0;

  read(offset: number, bytes: Uint8Array): void {
    this.#bytesRead += bytes.length;
    if (this.#bytesWritten > 0) this.#hash = null;
    this.#follow(offset, bytes);
  }

  wrote(offset: number, bytes: Uint8Array): void {
    this.#bytesWritten += bytes.length;
    if (this.#bytesRead > 0) this.#hash = null;
    this.#follow(offset, bytes);
  }

  /** Counts bytes moved within the kernel, or notes a size change; the content is then unknown. */
  lost(bytes: { read?: number; written?: number }): void {
    this.#bytesRead += bytes.read ?? 0;
    this.#bytesWritten += bytes.written ?? 0;
    this.#hash = null;
  }

  finish(fd: number): Transfer {
    const sizeBytes = sizeOf(fd);
    const isWhole = this.#hash !== null && sizeBytes === this.#hashedBytes;
    const sha256 = isWhole ? (this.#hash?.digest("hex") ?? null) : null;
    return {
      bytesRead: this.#bytesRead,
      bytesWritten: this.#bytesWritten,
      sizeBytes: sizeBytes ?? 0,
      sha256,
    };
  }

  #follow(offset: number, bytes: Uint8Array): void {
    if (offset !== this.#hashedBytes) this.#hash = null;
    this.#hash?.update(bytes);
    this.#hashedBytes += bytes.length;
  }
}

/**
 * Null: the file system no longer says. A sparse file may be larger than an event can express. Cap its size,
 * so that the rest of the line can be stored.
 */
function sizeOf(fd: number): number | null {
  try {
    return Math.min(fstatSync(fd).size, Number.MAX_SAFE_INTEGER);
  } catch {
    return null;
  }
}
