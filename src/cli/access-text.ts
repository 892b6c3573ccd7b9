/**
 * Requests for access as text for people.
 *
 * @module
 */

import { QfError } from "../base/errors.ts";
import { timeText } from "../base/moment.ts";
import type { AccessRequest } from "../wire/access-request.ts";

const SECONDS_OF: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: 86_400 };

/** `90s`, `30m`, `2h`, `3d` as seconds. Undefined: not given. Throws ERR_USAGE. */
export function parseFor(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const [, digits = "", unit = ""] = /^(\d{1,6})([smhd])$/.exec(text) ?? [];
  const seconds = Number(digits) * (SECONDS_OF[unit] ?? 0);
  if (seconds >= 60) return seconds;
  throw new QfError("ERR_USAGE", "--for must be a time of at least a minute, such as 30m, 2h or 1d");
}

/** Seconds in the largest unit that divides them. */
export function forText(seconds: number): string {
  const unit = (["d", "h", "m"] as const).find((one) => seconds % (SECONDS_OF[one] ?? 1) === 0) ?? "s";
  return `${seconds / (SECONDS_OF[unit] ?? 1)}${unit}`;
}

/** The requested access: `deploy@web1`, or the group. */
export function subjectText({ machine, local_user, group }: AccessRequest): string {
  return machine === null ? `group ${group?.name ?? ""}` : `${local_user ?? ""}@${machine.name}`;
}

/** The state, with its time, person or cause. */
export function stateText(request: AccessRequest): string {
  const { state, ends_at, decided_by, end_cause } = request;
  if (state === "approved" && ends_at !== null) return `approved until ${timeText(ends_at)}`;
  if (state === "ended") return `ended (${(end_cause ?? "").replaceAll("_", " ")})`;
  return decided_by === null ? state : `${state} by ${decided_by.name}`;
}

/** Everything that a decision needs, line by line. */
export function requestText(request: AccessRequest): string {
  const { user, device, reason, seconds_max } = request;
  return [
    `who      ${user.name}${user.email === "" ? "" : ` <${user.email}>`}`,
    `what     ${subjectText(request)}`,
    ...(device === null ? [] : [`device   ${device.name}`]),
    `reason   ${reason === "" ? "(none given)" : reason}`,
    `for      ${forText(seconds_max)}`,
    "",
  ].join("\n");
}
