/**
 * Changes of the account's settings: the merged settings, and whether a change could hide what people do or
 * let in people who could not sign in before.
 *
 * @module
 */
import { RECORD_WEIGHT } from "../../../policy/decide/obligations.ts";
import type { AccountSettings } from "../../../wire/account-settings.ts";
import { filled, theirs } from "../../contracts/settings.ts";
import { RETENTION_FIELDS } from "../../db/tables/shortened-retention.ts";

/** Omitted fields stay, so tools that do not know a field do not change it. */
export function mergeSettings(old: AccountSettings, settings: AccountSettings): AccountSettings {
  const merged: AccountSettings = { ...old, ...given(settings) };
  if (settings.extra !== undefined) merged.extra = { ...theirs(old).extra, ...given(settings.extra) };
  merged.require = { ...filled(old).require, ...settings.require };
  // Set by how the server was started, never by a request.
  if (old.embedded_idp_enabled !== undefined) merged.embedded_idp_enabled = old.embedded_idp_enabled;
  return merged;
}

/** Whether less is recorded, or for a shorter time, or others can open recordings. */
export function isLessKept(old: AccountSettings, now: AccountSettings): boolean {
  const [before, after] = [filled(old), filled(now)];
  return (
    RETENTION_FIELDS.some((field) => after[field] < before[field]) ||
    RECORD_WEIGHT[after.require.record] < RECORD_WEIGHT[before.require.record] ||
    JSON.stringify(after.recording_recipients) !== JSON.stringify(before.recording_recipients)
  );
}

/** Whether the terms of signing in change for people or devices, in either direction. */
export function isOtherSignIn(old: AccountSettings, now: AccountSettings): boolean {
  return JSON.stringify(signInTerms(old)) !== JSON.stringify(signInTerms(now));
}

function signInTerms(settings: AccountSettings): readonly unknown[] {
  const { login_seconds_max, login_confirmation, prompt_login, device_approval, ...all } = filled(settings);
  const { extra } = theirs(settings);
  return [
    ...[login_seconds_max, login_confirmation, prompt_login, device_approval],
    ...[all.id_token_to_machine, all.allow_browsers, all.pending_approval],
    ...[all.require.reauth_within_seconds, all.require.approval, all.require.reason],
    ...[extra.peer_approval_enabled, extra.user_approval_required],
  ];
}

/** Whether policies are kept elsewhere than before. */
export function isOtherSource(old: AccountSettings, now: AccountSettings): boolean {
  return filled(old).policy_source !== filled(now).policy_source;
}

/** Leaves out undefined fields. */
function given<T extends object>(fields: T): T {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as T;
}
