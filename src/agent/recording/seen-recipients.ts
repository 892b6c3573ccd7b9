/**
 * Remembers who can open recordings of this machine, so that users are told when the recipients change.
 *
 * @module
 */
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Clock, nowSeconds } from "../../base/clock.ts";
import { parseJson } from "../../base/files.ts";
import type { Log } from "../../base/log.ts";
import { RecipientsFile } from "../../wire/recording.ts";

/** How long users are told of a change. */
const TOLD_SECONDS = 7 * 86_400;

export class SeenRecipients {
  readonly #path: string;
  readonly #parts: { readonly clock: Clock; readonly log: Log };

  /** `directory` need not exist before the first recording begins. */
  constructor(directory: string, parts: { readonly clock: Clock; readonly log: Log }) {
    this.#path = join(directory, "recipients.json");
    this.#parts = parts;
  }

  /** When the recipients were first seen to have changed. Null: a week ago or more, or never. */
  otherSinceSeconds(recipients: readonly string[]): number | null {
    const now = nowSeconds(this.#parts.clock);
    const sorted = [...recipients].sort();
    const before = this.#read();
    const isSame = before !== null && before.recipients.join() === sorted.join();
    if (!isSame) this.#write({ recipients: sorted, sinceSeconds: before === null ? null : now });
    const since = isSame ? before.sinceSeconds : before === null ? null : now;
    return since !== null && now - since < TOLD_SECONDS ? since : null;
  }

  /** Null: none recorded, or the file cannot be read. */
  #read(): RecipientsFile | null {
    try {
      return RecipientsFile.parse(parseJson(readFileSync(this.#path, "utf8")));
    } catch {
      return null;
    }
  }

  #write(seen: RecipientsFile): void {
    try {
      writeFileSync(`${this.#path}.new`, JSON.stringify(seen), { mode: 0o600 });
      renameSync(`${this.#path}.new`, this.#path);
    } catch (cause) {
      this.#parts.log.warn("whose keys open recordings cannot be noted", {}, cause);
    }
  }
}
