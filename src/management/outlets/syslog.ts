/**
 * Log entries as syslog messages (RFC 5424), each preceded by its length (RFC 6587 section 3.4.1), so that no
 * text in one can begin another.
 *
 * @module
 */
import { printable } from "../../base/printable.ts";

/** Facility 13: log audit. */
const FACILITY = 13;
const SEVERITIES = { alert: 1, warning: 4, notice: 5, informational: 6 } as const;
/** The enterprise number for examples (RFC 5612), since we have none of our own. */
const ELEMENT = "qufabric@32473";

export interface SyslogEntry {
  readonly host: string;
  readonly accountId: string;
  readonly seq: number;
  /** Unix milliseconds. Null: retention has removed the body. */
  readonly atMs: number | null;
  readonly activity: string;
  /** The leaf's text. */
  readonly line: string;
}

/** The message, preceded by its length. */
export function syslogFrame(entry: SyslogEntry): Buffer {
  const { host, accountId, seq, atMs, activity, line } = entry;
  const time = atMs === null ? "-" : new Date(atMs).toISOString();
  const values = { account: accountId, seq: String(seq), activity };
  const data = Object.entries(values).map(([name, value]) => `${name}="${escapeValue(value)}"`);
  const priority = FACILITY * 8 + SEVERITIES[severityOf(activity)];
  const names = [wordOf(host, 255), "qufabric", "-", wordOf(activity, 32)].join(" ");
  const header = `<${priority}>1 ${time} ${names}`;
  const text = Buffer.from(`${header} [${ELEMENT} ${data.join(" ")}] \ufeff${line}`, "utf8");
  return Buffer.concat([Buffer.from(`${text.length} `, "ascii"), text]);
}

function severityOf(activity: string): keyof typeof SEVERITIES {
  if (activity.startsWith("log.lost") || activity === "agent.gap") return "alert";
  if (/\.(?:deny|refuse|refused|failed|block)$/.test(activity)) return "warning";
  return activity.startsWith("ssh.") || activity.startsWith("agent.") ? "informational" : "notice";
}

/** Printable ASCII without spaces, or the nil value (RFC 5424 section 6). */
function wordOf(text: string, max: number): string {
  const word = text.replace(/[^\x21-\x7e]/g, "").slice(0, max);
  return word === "" ? "-" : word;
}

/** Escapes a parameter value (RFC 5424 section 6.3.3). */
function escapeValue(text: string): string {
  return printable(text).replace(/["\\\]]/g, (one) => `\\${one}`);
}
