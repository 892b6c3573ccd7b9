/**
 * Account settings: what a new account has, and what an absent field means.
 *
 * @module
 */
import type { AccountSettings } from "../wire/admin-api.ts";
import type { MapSettings } from "../wire/network-map.ts";

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
    groups_propagation_enabled: true,
    jwt_groups_enabled: false,
    dns_domain: DEFAULT_DOMAIN,
    ...filled({} as AccountSettings),
  };
}

/** The fields of ours that management acts on, none absent. */
export function filled(settings: AccountSettings) {
  return {
    max_stale_seconds: settings.max_stale_seconds ?? 3_600,
    max_stale_root_seconds: settings.max_stale_root_seconds ?? 300,
    login_seconds_max: settings.login_seconds_max ?? 43_200,
    login_confirmation: settings.login_confirmation ?? "code",
    prompt_login: settings.prompt_login ?? true,
    device_approval: settings.device_approval ?? "auto",
    id_token_to_machine: settings.id_token_to_machine ?? true,
    pending_approval: settings.pending_approval ?? false,
    require: {
      record: settings.require?.record ?? "off",
      reason: settings.require?.reason ?? false,
      approval: settings.require?.approval ?? false,
      reauth_within_seconds: settings.require?.reauth_within_seconds ?? null,
    },
  } as const satisfies Partial<AccountSettings>;
}

/** What machines are told of an account's settings. */
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
  };
}
