/**
 * Account settings: those of a new account, and the meaning of absent fields.
 *
 * @module
 */
import type { AccountSettings } from "../../wire/account-settings.ts";
import type { MapSettings } from "../../wire/network-map.ts";
import { OVERLAY_RANGE } from "../../wire/overlay-range.ts";

export const DEFAULT_DOMAIN = "qf.internal";

export function defaultSettings(): AccountSettings {
  return {
    peer_login_expiration_enabled: false,
    peer_login_expiration: 86_400,
    peer_inactivity_expiration_enabled: false,
    peer_inactivity_expiration: 600,
    regular_users_view_blocked: true,
    peer_expose_enabled: false,
    peer_expose_groups: [],
    ...theirs({} as AccountSettings),
    dns_domain: DEFAULT_DOMAIN,
    ...filled({} as AccountSettings),
  };
}

/** NetBird's fields, none absent, since its clients expect each of them. */
export function theirs(settings: AccountSettings) {
  return {
    groups_propagation_enabled: settings.groups_propagation_enabled ?? true,
    jwt_groups_enabled: settings.jwt_groups_enabled ?? false,
    jwt_groups_claim_name: settings.jwt_groups_claim_name ?? "",
    jwt_allow_groups: settings.jwt_allow_groups ?? [],
    routing_peer_dns_resolution_enabled: settings.routing_peer_dns_resolution_enabled ?? false,
    network_range: settings.network_range ?? OVERLAY_RANGE,
    network_range_v6: settings.network_range_v6 ?? "",
    extra: {
      peer_approval_enabled: settings.extra?.peer_approval_enabled ?? false,
      user_approval_required: settings.extra?.user_approval_required ?? false,
      network_traffic_logs_enabled: settings.extra?.network_traffic_logs_enabled ?? false,
      network_traffic_logs_groups: settings.extra?.network_traffic_logs_groups ?? [],
      network_traffic_packet_counter_enabled: settings.extra?.network_traffic_packet_counter_enabled ?? false,
    },
    lazy_connection_enabled: settings.lazy_connection_enabled ?? false,
    auto_update_version: settings.auto_update_version ?? "disabled",
    auto_update_always: settings.auto_update_always ?? false,
    metrics_push_enabled: settings.metrics_push_enabled ?? false,
    agent_network_only: settings.agent_network_only ?? false,
    dashboard_features: { agent_network: settings.dashboard_features?.agent_network ?? false },
    embedded_idp_enabled: settings.embedded_idp_enabled ?? false,
    local_auth_disabled: settings.local_auth_disabled ?? false,
    local_mfa_enabled: settings.local_mfa_enabled ?? false,
    ipv6_enabled_groups: settings.ipv6_enabled_groups ?? [],
  } as const satisfies Partial<AccountSettings>;
}

/** NetBird's fields that have no effect here. `docs/api.md` names what replaces them. */
const WITHOUT_EFFECT = [
  "peer_login_expiration_enabled",
  "peer_login_expiration",
  "peer_inactivity_expiration_enabled",
  "peer_inactivity_expiration",
  "regular_users_view_blocked",
  "peer_expose_enabled",
  "peer_expose_groups",
  "groups_propagation_enabled",
  "jwt_groups_enabled",
  "jwt_groups_claim_name",
  "jwt_allow_groups",
  "routing_peer_dns_resolution_enabled",
  "network_range_v6",
  "lazy_connection_enabled",
  "auto_update_version",
  "auto_update_always",
  "metrics_push_enabled",
  "agent_network_only",
  "dashboard_features",
  "local_auth_disabled",
  "local_mfa_enabled",
  "ipv6_enabled_groups",
] as const satisfies readonly (keyof AccountSettings)[];

/** The same for NetBird's `extra`. */
const EXTRA_WITHOUT_EFFECT = [
  "network_traffic_logs_enabled",
  "network_traffic_logs_groups",
  "network_traffic_packet_counter_enabled",
] as const satisfies readonly (keyof ReturnType<typeof theirs>["extra"])[];

/** Fields without effect that differ between `old` and `now`. */
export function effectless(old: AccountSettings, now: AccountSettings): string[] {
  const before = { ...old, ...theirs(old) };
  const after = { ...now, ...theirs(now) };
  const isChanged = (a: unknown, b: unknown) => JSON.stringify(a) !== JSON.stringify(b);
  return [
    ...WITHOUT_EFFECT.filter((field) => isChanged(before[field], after[field])),
    ...EXTRA_WITHOUT_EFFECT.filter((field) => isChanged(before.extra[field], after.extra[field])).map(
      (field) => `extra.${field}`,
    ),
  ];
}

/** Our own fields, which management acts on, none absent. */
export function filled(settings: AccountSettings) {
  return {
    organization_name: settings.organization_name ?? "",
    max_stale_seconds: settings.max_stale_seconds ?? 3_600,
    max_stale_root_seconds: settings.max_stale_root_seconds ?? 300,
    login_seconds_max: settings.login_seconds_max ?? 43_200,
    login_confirmation: settings.login_confirmation ?? "code",
    prompt_login: settings.prompt_login ?? true,
    device_approval: settings.device_approval ?? "auto",
    id_token_to_machine: settings.id_token_to_machine ?? true,
    allow_browsers: settings.allow_browsers ?? true,
    pending_approval: settings.pending_approval ?? false,
    audit_retention_days: settings.audit_retention_days ?? 365,
    recording_retention_days: settings.recording_retention_days ?? 90,
    recording_recipients: settings.recording_recipients ?? [],
    policy_source: settings.policy_source ?? "",
    require: {
      record: settings.require?.record ?? "off",
      reason: settings.require?.reason ?? false,
      approval: settings.require?.approval ?? false,
      reauth_within_seconds: settings.require?.reauth_within_seconds ?? null,
    },
  } as const satisfies Partial<AccountSettings>;
}

/** The part of an account's settings that machines get. */
export function mapSettings(settings: AccountSettings, domain: string): MapSettings {
  const all = filled(settings);
  return {
    domain,
    maxStaleSeconds: all.max_stale_seconds,
    maxStaleRootSeconds: all.max_stale_root_seconds,
    loginSecondsMax: all.login_seconds_max,
    require: {
      record: all.require.record,
      reason: all.require.reason,
      approval: all.require.approval,
      reauthWithinSeconds: all.require.reauth_within_seconds,
    },
    ...(all.recording_recipients.length === 0 ? {} : { recordingRecipients: all.recording_recipients }),
  };
}
