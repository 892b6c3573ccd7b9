/**
 * Reports of the SFTP server about itself: each operation before it happens, its outcome after.
 *
 * A report costs nothing when nobody listens.
 *
 * @module
 */
import { fstatSync } from "node:fs";
import type { Attributes } from "./attributes.ts";
import type { Status } from "./protocol.ts";

/**
 * Paths are absolute and not resolved: a symbolic link in them is still one. Bytes that are no UTF-8 are
 * lost.
 */
export type SftpOperation =
  | { readonly op: "open"; readonly path: string; readonly flags: OpenIntent }
  | ({ readonly op: "close"; readonly path: string } & Transfer)
  | { readonly op: "rename"; readonly path: string; readonly target: string; readonly replace: boolean }
  | { readonly op: "remove" | "mkdir" | "rmdir"; readonly path: string }
  /** `target` is the text of the link, as the client wrote it. */
  | { readonly op: "symlink"; readonly path: string; readonly target: string }
  /** `path` is the new name of the file at `target`. */
  | { readonly op: "link"; readonly path: string; readonly target: string }
  | { readonly op: "setstat"; readonly path: string; readonly attributes: Attributes }
  /** From one open file into another, within the server. */
  | { readonly op: "copy"; readonly path: string; readonly target: string; readonly bytes: number };

export interface OpenIntent {
  readonly read: boolean;
  readonly write: boolean;
  readonly append: boolean;
  readonly create: boolean;
  readonly truncate: boolean;
  readonly exclusive: boolean;
}

/** What went through one open file. */
export interface Transfer {
  readonly bytesRead: number;
  readonly bytesWritten: number;
  /** Of the file as it is closed; 0 where its file system does not say. */
  readonly sizeBytes: number;
  /**
   * Of the whole file, in hex, when it was read or written from its first byte to its last in order.
   * Else null: a part, or in pieces out of order.
   */
  readonly sha256: string | null;
}

/**
 * Called before the operation touches anything (a close: when its counts are known). A throw refuses it
 * with SSH_FX_FAILURE; a refused close closes nevertheless. The returned function hears the outcome.
 * In read-only mode a change is announced too, and its outcome is `Status.permissionDenied`.
 */
export type OperationHook = (operation: SftpOperation) => ((status: Status) => void) | undefined;

/** Follows one open file for its `close`. */
export class TransferLog {
  #bytesRead = 0;
  #bytesWritten = 0;
  /** Null once the bytes came out of order. */
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

  /** Bytes that went through the kernel only, or a change of size: what the file is now is not known. */
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
 * Null: its file system does not say any more. A file with holes may be larger than what evidence can say;
 * one such size must not make what is told beside it unfit to be stored.
 */
function sizeOf(fd: number): number | null {
  try {
    return Math.min(fstatSync(fd).size, Number.MAX_SAFE_INTEGER);
  } catch {
    return null;
  }
}
