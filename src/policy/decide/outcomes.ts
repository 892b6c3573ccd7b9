/**
 * What can become of one rule, as small integers: a decision over a thousand rules keeps a byte each.
 *
 * The order is meant. It is the order in which conditions are tested, so a higher number got nearer
 * to a grant, and the reason a denial gives is that of the highest. The first few say nothing of it.
 *
 * @module
 */
import type { RuleOutcome } from "../../wire/decision.ts";

export const OUTCOME = {
  disabled: 0,
  other_protocol: 1,
  not_destination: 2,
  drop_not_matching: 3,
  user_not_in_groups: 4,
  unmanaged_device: 5,
  device_not_in_sources: 6,
  device_not_in_source_devices: 7,
  local_user_not_listed: 8,
  posture_failed: 9,
  outside_validity: 10,
  outside_schedule: 11,
  reauth_unprovable: 12,
  reauth_required: 13,
  reason_required: 14,
  approval_required: 15,
  recording_unavailable: 16,
  shell_not_allowed: 17,
  command_not_allowed: 18,
  pty_not_allowed: 19,
  sftp_disabled: 20,
  sftp_read_only: 21,
  local_forward_disabled: 22,
  remote_forward_disabled: 23,
  forward_destination_not_allowed: 24,
  agent_forwarding_disabled: 25,
  x11_not_available: 26,
  granted: 27,
  dropped: 28,
} as const satisfies Record<RuleOutcome, number>;
export type OutcomeCode = (typeof OUTCOME)[RuleOutcome];

const NAMES = Object.keys(OUTCOME) as RuleOutcome[];

/** The name of an outcome, as it is stored in a trace. */
export function outcomeName(code: number): RuleOutcome {
  return NAMES[code] ?? "disabled";
}
