/**
 * Uploads and downloads of the files panel: in progress, done, or failed with a reason.
 *
 * A download is assembled in the page and saved as untyped bytes, so that the browser does not open it.
 *
 * @module
 */
import type { Bytes } from "../../browser-ssh/bytes.ts";
import type { SftpClient } from "../../browser-ssh/sftp/sftp-client.ts";
import { download, upload } from "../../browser-ssh/sftp/transfer.ts";
import { baseName, joinPath } from "./file-words.ts";

/** How often progress is shown. */
const SHOW_MS = 100;
/** Parts of this size together go into a Blob, which need not stay in memory. */
const GATHER_BYTES = 8 * 1024 * 1024;
const KEPT_MAX = 20;

export interface Transfer {
  readonly id: number;
  readonly name: string;
  readonly way: "up" | "down";
  readonly bytes: number;
  /** Bytes. 0: unknown. */
  readonly size: number;
  readonly state: "going" | "done" | "stopped";
  readonly problem: string | null;
}

export class FileTransfers {
  readonly client: SftpClient;
  readonly #show: (transfers: readonly Transfer[]) => void;
  #transfers: readonly Transfer[] = [];
  readonly #aborts = new Map<number, AbortController>();
  #nextId = 1;
  #shownAtMs = 0;

  constructor(client: SftpClient, show: (transfers: readonly Transfer[]) => void) {
    this.client = client;
    this.#show = show;
  }

  async put(file: File, folder: string, replace: boolean): Promise<void> {
    const name = baseName(file.name);
    await this.#run({ name, way: "up", size: file.size }, (options) =>
      upload(this.client, file, { ...options, path: joinPath(folder, name), replace }),
    );
  }

  async get(path: string, name: string): Promise<void> {
    const size = (await this.client.stat(path).catch(() => null))?.size ?? 0;
    await this.#run({ name, way: "down", size }, async (options) => {
      const whole: Blob[] = [];
      let parts: Bytes[] = [];
      let gathered = 0;
      const gather = (): void => {
        whole.push(new Blob(parts));
        [parts, gathered] = [[], 0];
      };
      const onBytes = (bytes: Bytes): void => {
        parts.push(bytes);
        gathered += bytes.length;
        if (gathered >= GATHER_BYTES) gather();
      };
      await download(this.client, path, { ...options, onBytes });
      gather();
      save(new Blob(whole, { type: "application/octet-stream" }), baseName(name));
    });
  }

  cancel(id: number): void {
    this.#aborts.get(id)?.abort();
  }

  async #run(
    about: Pick<Transfer, "name" | "way" | "size">,
    work: (options: { signal: AbortSignal; onProgress(bytes: number): void }) => Promise<void>,
  ): Promise<void> {
    const id = this.#nextId++;
    const abort = new AbortController();
    this.#aborts.set(id, abort);
    const first: Transfer = { id, ...about, bytes: 0, state: "going", problem: null };
    this.#transfers = [first, ...this.#transfers].slice(0, KEPT_MAX);
    this.#change(id, {}, true);
    try {
      await work({ signal: abort.signal, onProgress: (bytes) => this.#change(id, { bytes }, false) });
      this.#change(id, { state: "done" }, true);
    } catch (error) {
      const problem = abort.signal.aborted ? null : error instanceof Error ? error.message : "it failed";
      this.#change(id, { state: "stopped", problem }, true);
    } finally {
      this.#aborts.delete(id);
    }
  }

  #change(id: number, change: Partial<Transfer>, isNow: boolean): void {
    this.#transfers = this.#transfers.map((one) => (one.id === id ? { ...one, ...change } : one));
    if (!isNow && performance.now() - this.#shownAtMs < SHOW_MS) return;
    this.#shownAtMs = performance.now();
    this.#show(this.#transfers);
  }
}

function save(blob: Blob, name: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
