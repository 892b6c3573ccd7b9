import { timeText } from "../base/moment.ts";
import { printable } from "../base/printable.ts";
import type { ReadAuditEvent } from "../wire/audit-event.ts";

/** An audit event on one line: time, code, initiator and facts. */
export function lineOf(event: ReadAuditEvent): string {
  const who = event.initiator_email || event.initiator_name || event.initiator_id;
  const facts = Object.entries(event.meta).map(([name, value]) => `${name}=${quoted(value)}`);
  const time = timeText(event.timestamp);
  return printable([time, event.activity_code.padEnd(22), who || "-", ...facts].join("  "));
}

function quoted(value: string): string {
  return /[\s"=]/.test(value) || value === "" ? JSON.stringify(value) : value;
}
