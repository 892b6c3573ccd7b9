/**
 * Reason codes of denials. The list is closed and part of the API: codes are stored in audit, explained in
 * the docs and worded once, in `policy/sentences.ts`.
 *
 * @module
 */
import { z } from "zod";
import { lazySchema } from "./lazy-schema.ts";
import { CAPABILITY_OUTCOMES, OBLIGATION_OUTCOMES } from "./rule-outcome.ts";

/** Every reason of a denial. Closed: codes are added, never renamed. */
export const REASON_CODES = [
  // Who asks.
  "user_unknown",
  "user_blocked",
  "user_pending",
  "device_unknown",
  "device_blocked",
  "device_pending",
  "unmanaged_device",
  "browser_not_allowed",
  // Whether the machine takes SSH at all.
  "ssh_disabled",
  "machine_blocked",
  "machine_pending",
  "map_stale",
  "wrong_target",
  "plain_ssh_disabled",
  // What the rules say.
  "peer_not_authorized",
  "device_not_authorized",
  "local_user_not_authorized",
  "local_user_unmapped",
  "outside_schedule",
  "posture_failed",
  "denied_by_rule",
  ...OBLIGATION_OUTCOMES,
  // What a session asks for.
  ...CAPABILITY_OUTCOMES,
  "command_too_long",
  "subsystem_unknown",
  // What the machine itself says.
  "root_disabled",
  "root_not_named",
  "rootless_other_user",
  "account_unknown",
  "account_locked",
  "account_expired",
  "account_nologin",
  "account_refused",
  "machine_identity_only",
  "binding_not_accepted",
  "client_not_pinned",
  "management_reachable",
  // Proof.
  "certificate_invalid",
  "certificate_expired",
  "certificate_replayed",
  "clock_skew",
  "token_invalid",
  "token_too_old",
  "login_revoked",
  // Evidence.
  "audit_unavailable",
  "audit_share_full",
  "limit_reached",
  // Why a connection that was let in ended.
  "session_time_over",
  "session_idle",
  "session_killed",
  "network_not_allowed",
] as const;
/** One of `REASON_CODES`. */
export const ReasonCode = lazySchema(() => z.enum(REASON_CODES));
export type ReasonCode = z.infer<typeof ReasonCode>;
