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

/** A grant's obligations, the rule's and the account's combined. */
export interface Obligations {
  readonly record: "off" | "best_effort" | "required";
  /** All typed input is recorded. */
  readonly allInput: boolean;
  readonly approval: boolean;
  readonly reason: boolean;
  readonly reauthWithinSeconds: number | null;
  /** Null: no limit. */
  readonly maxSessionSeconds: number | null;
}

/** Strictness of each kind of recording; a higher number is stricter. */
export const RECORD_WEIGHT = { off: 0, best_effort: 1, required: 2 } as const;

/** Whether an action can be recorded. Streams that are only relayed cannot. */
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

/** The floor that a group's settings define. */
export function floorOf({ record, reason, approval, reauth_within_seconds }: Require): Floor {
  return {
    record: record ?? "off",
    reason: reason ?? false,
    approval: approval ?? false,
    reauthWithinSeconds: reauth_within_seconds ?? null,
  };
}

/** The stricter value of each field. */
export function strictest(a: Floor, b: Floor): Floor {
  return {
    record: RECORD_WEIGHT[a.record] >= RECORD_WEIGHT[b.record] ? a.record : b.record,
    reason: a.reason || b.reason,
    approval: a.approval || b.approval,
    reauthWithinSeconds: smallerLimit(a.reauthWithinSeconds, b.reauthWithinSeconds),
  };
}

/**
 * Orders grants by obligations: negative when `a` requires less than `b`, zero when equal. Recording counts
 * first, then recorded input, approval, reason, sign-in, duration.
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

/** No limit requires least; a longer one requires less than a shorter one. */
function looser(a: number | null, b: number | null): number {
  if (a === b) return 0;
  if (a === null) return -1;
  return b === null ? 1 : b - a;
}
