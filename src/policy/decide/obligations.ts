/**
 * Obligations of a grant: recording, reason, approval, a recent sign-in. Account-wide obligations apply to
 * every grant, whatever its rule says.
 *
 * @module
 */
import type { Require } from "../../wire/account-settings.ts";
import type { Action } from "../../wire/decision.ts";
import type { MapSettings } from "../../wire/network-map.ts";
import type { SshCapabilities } from "../../wire/policy.ts";

/** What a grant asks in return, the rule's and the account's together. */
export interface Obligations {
  readonly record: "off" | "best_effort" | "required";
  /** Everything that is typed is kept. */
  readonly allInput: boolean;
  readonly approval: boolean;
  readonly reason: boolean;
  readonly reauthWithinSeconds: number | null;
  /** Null: no limit. */
  readonly maxSessionSeconds: number | null;
}

/** How much each kind of recording asks: the higher number is the stricter. */
export const RECORD_WEIGHT = { off: 0, best_effort: 1, required: 2 } as const;

/** Whether a recording can hold what is done: not streams that are only passed on. */
export function isRecordable({ kind }: Pick<Action, "kind">): boolean {
  return kind === "connect" || kind === "shell" || kind === "exec" || kind === "pty" || kind === "sftp";
}

/** The stricter of rule and account, field by field. */
export function obligationsOf(ssh: SshCapabilities, require: MapSettings["require"]): Obligations {
  const record = ssh.record ?? "off";
  return {
    record: RECORD_WEIGHT[record] >= RECORD_WEIGHT[require.record] ? record : require.record,
    allInput: ssh.record_input === "all",
    approval: ssh.require_approval === true || require.approval,
    reason: ssh.require_reason === true || require.reason,
    reauthWithinSeconds: smallerLimit(ssh.reauth_within_seconds ?? null, require.reauthWithinSeconds),
    maxSessionSeconds: ssh.max_session_seconds ?? null,
  };
}

/** What an account, or a group for its machines, requires of every grant. */
export type Floor = MapSettings["require"];

/** What a group's settings come to. */
export function floorOf({ record, reason, approval, reauth_within_seconds }: Require): Floor {
  return {
    record: record ?? "off",
    reason: reason ?? false,
    approval: approval ?? false,
    reauthWithinSeconds: reauth_within_seconds ?? null,
  };
}

/** Both: the stricter of each field. */
export function strictest(a: Floor, b: Floor): Floor {
  return {
    record: RECORD_WEIGHT[a.record] >= RECORD_WEIGHT[b.record] ? a.record : b.record,
    reason: a.reason || b.reason,
    approval: a.approval || b.approval,
    reauthWithinSeconds: smallerLimit(a.reauthWithinSeconds, b.reauthWithinSeconds),
  };
}

/**
 * The order of grants by what they ask: negative when `a` asks less than `b`, zero when equally much.
 * Recording counts first, then kept input, approval, reason, sign-in, length.
 */
export function compareObligations(a: Obligations, b: Obligations): number {
  return (
    RECORD_WEIGHT[a.record] - RECORD_WEIGHT[b.record] ||
    Number(a.allInput) - Number(b.allInput) ||
    Number(a.approval) - Number(b.approval) ||
    Number(a.reason) - Number(b.reason) ||
    looser(a.reauthWithinSeconds, b.reauthWithinSeconds) ||
    looser(a.maxSessionSeconds, b.maxSessionSeconds)
  );
}

/** The smaller of two limits. Null is no limit. */
export function smallerLimit(a: number | null, b: number | null): number | null {
  if (a === null) return b;
  return b === null ? a : Math.min(a, b);
}

/** No limit asks least; a longer one asks less than a shorter one. */
function looser(a: number | null, b: number | null): number {
  if (a === b) return 0;
  if (a === null) return -1;
  return b === null ? 1 : b - a;
}
