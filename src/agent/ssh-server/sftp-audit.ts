/**
 * The agent's side of SFTP evidence: stores each record that the SFTP process reports
 * (sftp/sftp-audit-writer.ts), and answers it.
 *
 * @module
 */
import type { SftpOperationRecord } from "../../wire/sftp-operation.ts";
import { createLines } from "../os/forward-helper-protocol.ts";
import type { FdReader, FdWriter } from "../os/pipes.ts";
import { LEDGER_LINE, LEDGER_NO, LEDGER_YES, LINE_BYTES_MAX } from "../sftp/ledger-line.ts";

export interface SftpAuditOptions {
  readonly reader: FdReader;
  readonly answers: FdWriter;
  /** Stores what was done. False: it cannot be stored. */
  record(operations: readonly SftpOperationRecord[]): Promise<boolean>;
  /** Shows `text` to the person. */
  say(text: string): Promise<unknown>;
  /** Called once, after the first record that cannot be stored. Nothing more may be done. */
  onRefused(): void;
}

/** Answers until the process has exited. Never rejects. */
export async function serveSftpAudit({ reader, answers, ...options }: SftpAuditOptions): Promise<void> {
  const lines = createLines(LINE_BYTES_MAX);
  let isRefused = false;
  try {
    for (let data = await reader.read(); data !== null; data = await reader.read()) {
      for (const line of lines(data)) {
        if (!line.startsWith(LEDGER_LINE)) {
          await options.say(`${line}\n`);
          continue;
        }
        const operations = JSON.parse(line.slice(LEDGER_LINE.length)) as SftpOperationRecord[];
        const isStored: boolean = !isRefused && (await options.record(operations));
        if (!isStored && !isRefused) options.onRefused();
        isRefused ||= !isStored;
        // A process that has sent its last record does not wait for the answer.
        await answers.write(Uint8Array.of(isStored ? LEDGER_YES : LEDGER_NO))?.catch(() => {});
      }
    }
  } catch {
    // Our own process does not send this.
    if (!isRefused) options.onRefused();
    while ((await reader.read()) !== null);
  } finally {
    answers.close();
  }
}
