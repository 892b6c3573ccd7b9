/**
 * The greeting of an interactive shell, as from sshd and login(1): messages of PAM modules, the message of
 * the day unless a module showed it, and the last login.
 *
 * @module
 */
import { closeSync, openSync, readSync } from "node:fs";
import type { LastLogin } from "./login-records.ts";

/** Default of login.defs(5). */
const MOTD = "/etc/motd";
/** A longer message of the day is cut off. */
const MOTD_BYTES_MAX = 65_536;

/** Text for a terminal whose output is not raw. Empty: nothing to show. */
export function greetingOf(pamText: string, last: LastLogin | null, motdPath = MOTD): string {
  const motd = readMotd(motdPath);
  const isSaid = motd.trim() === "" || pamText.includes(motd.trim());
  const lastLine = last === null || /^Last login: /m.test(pamText) ? "" : lastLoginLine(last);
  return `${pamText}${isSaid ? "" : endLine(motd)}${lastLine}`;
}

/** In sshd's format. */
export function lastLoginLine({ atSeconds, terminal, host }: LastLogin): string {
  const [week, month, day, year, time] = new Date(atSeconds * 1000).toString().split(" ");
  const at = `${week} ${month} ${String(Number(day)).padStart(2)} ${time} ${year}`;
  const from = host === "" ? `on ${terminal}` : `from ${host}`;
  return `Last login: ${at} ${from}\n`;
}

function endLine(text: string): string {
  return text.endsWith("\n") ? text : `${text}\n`;
}

function readMotd(path: string): string {
  const bytes = Buffer.alloc(MOTD_BYTES_MAX);
  try {
    const fd = openSync(path, "r");
    try {
      return bytes.toString("utf8", 0, readSync(fd, bytes));
    } finally {
      closeSync(fd);
    }
  } catch {
    return "";
  }
}
