/**
 * The outcomes of one rule for one request, in one order: a later outcome came nearer to a grant.
 *
 * This is the only list of them. `policy/decide/outcomes.ts` numbers it, `reason.ts` takes from it the
 * outcomes that are reasons as they stand, and `decision.ts` makes it the schema of a trace. Plain
 * constants without zod, so that `policy/` may import it at run time.
 *
 * @module
 */

/** What a grant asks in return and did not get, in the order in which it is tested. Each is a reason code. */
export const OBLIGATION_OUTCOMES = [
  "reauth_unprovable",
  "reauth_required",
  "reason_required",
  "approval_required",
  "recording_unavailable",
  "not_recordable",
] as const;

/** What the capabilities of a rule or the flags of the machine do not allow. Each is a reason code. */
export const CAPABILITY_OUTCOMES = [
  "shell_not_allowed",
  "command_not_allowed",
  "pty_not_allowed",
  "sftp_disabled",
  "sftp_read_only",
  "local_forward_disabled",
  "remote_forward_disabled",
  "forward_destination_not_allowed",
  "agent_forwarding_disabled",
  "x11_not_available",
] as const;

/**
 * Every outcome of a rule, in the order in which the conditions are tested. The first condition that does
 * not hold is the outcome. A denial gives the reason of the latest outcome in this list.
 */
export const RULE_OUTCOMES = [
  // The rule does not speak of this request.
  "disabled",
  "other_protocol",
  "not_destination",
  /** The rule is a `drop` that does not concern this request. */
  "drop_not_matching",
  // Who asks, from which device, as whom, and when.
  "user_not_in_groups",
  "unmanaged_device",
  "device_not_in_sources",
  "device_not_in_source_devices",
  "browser_not_allowed",
  "local_user_not_listed",
  "posture_failed",
  "outside_validity",
  "outside_schedule",
  ...OBLIGATION_OUTCOMES,
  ...CAPABILITY_OUTCOMES,
  "granted",
  /** The rule is a `drop` and it matched: it denies, whatever other rules grant. */
  "dropped",
] as const;
