/**
 * Open files and folders by the handle numbers that the client knows. Numbers are not reused soon.
 *
 * @module
 */
import { closeSync } from "node:fs";
import type { SshReader } from "../../base/ssh-buffer.ts";
import type { TransferLog } from "./audit.ts";
import type { Folder } from "./folder.ts";
import { HANDLES_MAX, Status } from "./protocol.ts";
import { SftpRefusal } from "./status.ts";

export interface OpenFile {
  readonly fd: number;
  /** As sent by the client. */
  readonly path: Buffer;
  /** Writes are appended, whatever their offset. */
  readonly isAppending: boolean;
  /** Null: no listener. */
  readonly log: TransferLog | null;
}

const HANDLE_BYTES = 4;
/** Longest handle that OpenSSH accepts. */
const HANDLE_BYTES_MAX = 256;

export class Handles {
  readonly #files = new Map<number, OpenFile>();
  readonly #folders = new Map<number, Folder>();
  #next = 0;

  /** Throws a refusal when the maximum is already open. Call it before opening. */
  requireRoom(): void {
    if (this.#files.size + this.#folders.size >= HANDLES_MAX) {
      throw new SftpRefusal(Status.failure, "Too many open files");
    }
  }

  addFile(file: OpenFile): number {
    const handle = this.#number();
    this.#files.set(handle, file);
    return handle;
  }

  addFolder(folder: Folder): number {
    const handle = this.#number();
    this.#folders.set(handle, folder);
    return handle;
  }

  /** The file of a handle. Throws a refusal for an unknown one. */
  file(handle: number): OpenFile {
    return this.#files.get(handle) ?? refuse();
  }

  folder(handle: number): Folder {
    return this.#folders.get(handle) ?? refuse();
  }

  /** The descriptor of a file or folder. */
  fd(handle: number): number {
    return (this.#files.get(handle) ?? this.folder(handle)).fd;
  }

  isFile(handle: number): boolean {
    return this.#files.has(handle);
  }

  openFiles(): number[] {
    return [...this.#files.keys()];
  }

  /**
   * Throws a refusal for an unknown handle. As in OpenSSH, its status differs from that of other requests.
   */
  close(handle: number): void {
    const fd = (this.#files.get(handle) ?? this.#folders.get(handle))?.fd;
    if (fd === undefined) throw new SftpRefusal(Status.noSuchFile, "Invalid handle");
    this.#files.delete(handle);
    this.#folders.delete(handle);
    closeSync(fd);
  }

  #number(): number {
    do {
      this.#next = (this.#next + 1) >>> 0;
    } while (this.#files.has(this.#next) || this.#folders.has(this.#next));
    return this.#next;
  }
}

/** Reads a handle. -1, which is never used, for anything we did not issue. */
export function parseHandle(reader: SshReader): number {
  const bytes = reader.string(HANDLE_BYTES_MAX);
  return bytes.length === HANDLE_BYTES ? bytes.readUInt32BE(0) : -1;
}

function refuse(): never {
  throw new SftpRefusal(Status.failure, "Invalid handle");
}
