/**
 * The settings of an account by topic: the label, hint and kind of each field.
 *
 * @module
 */
import type { Answer } from "../../api/client.ts";
import type { SettingsTopic } from "../../terms/settings-topic.ts";

export type Settings = Answer<"GET /api/accounts">[number]["settings"];
export type SettingValue = string | number | boolean | null;

interface Field {
  /** Path of the setting, such as `require.record`. */
  readonly name: string;
  readonly label: string;
  readonly hint?: string;
}

export type SettingField = Field &
  (
    | { readonly kind: "text" | "flag" | "days" }
    /** In seconds. With `none` an empty field saves null; without it the setting needs a value. */
    | { readonly kind: "duration"; readonly none?: null }
    | {
        readonly kind: "choice";
        readonly choices: readonly { readonly value: string; readonly label: string }[];
      }
  );

/** Changing it takes a reason once it is set. */
export const SOURCE_SETTING = "policy_source";

export const TOPIC_TITLES: Readonly<Record<SettingsTopic, string>> = {
  organisation: "Organisation",
  "sign-in": "Signing in",
  security: "Security",
  log: "Recording and log",
  network: "Network",
  streams: "Log streams",
  notifications: "Notifications",
};

export const FIELDS: Readonly<Partial<Record<SettingsTopic, readonly SettingField[]>>> = {
  organisation: [
    {
      name: "organization_name",
      label: "Name",
      hint: "Shown at the top of these pages.",
      kind: "text",
    },
  ],
  "sign-in": [
    {
      name: "pending_approval",
      label: "New people wait for an administrator",
      hint: "Whoever signs in for the first time.",
      kind: "flag",
    },
    {
      name: "login_seconds_max",
      label: "Longest time a login is kept",
      hint: "At most 30d.",
      kind: "duration",
    },
    {
      name: "prompt_login",
      label: "Ask the provider for a fresh sign-in",
      hint: "Off: a sign-in that the provider remembers will do.",
      kind: "flag",
    },
    {
      name: "login_confirmation",
      label: "A sign-in by link is confirmed by",
      kind: "choice",
      choices: [
        { value: "code", label: "the one-time code of the terminal" },
        { value: "click", label: "a click" },
      ],
    },
  ],
  security: [
    {
      name: "device_approval",
      label: "New devices",
      kind: "choice",
      choices: [
        { value: "auto", label: "are let in" },
        { value: "first", label: "wait, but for a person's first" },
        { value: "admin", label: "wait for an administrator" },
      ],
    },
    { name: "extra.peer_approval_enabled", label: "New machines wait for an administrator", kind: "flag" },
    {
      name: "require.reason",
      label: "Every login needs a reason",
      hint: "Whatever a policy says.",
      kind: "flag",
    },
    { name: "require.approval", label: "Every login needs an approval", kind: "flag" },
    {
      name: "require.reauth_within_seconds",
      label: "Every login needs a sign-in within the last",
      hint: "Such as 10m. Empty: none.",
      kind: "duration",
      none: null,
    },
    {
      name: "max_stale_seconds",
      label: "A machine goes on without this server for",
      hint: "At least 10s. After that it lets nobody in.",
      kind: "duration",
    },
    { name: "max_stale_root_seconds", label: "The same for root", hint: "At least 10s.", kind: "duration" },
    {
      name: SOURCE_SETTING,
      label: "Policies are kept in",
      hint: "The name or address of a repository. People change them there, and here only for a reason.",
      kind: "text",
    },
    {
      name: "allow_browsers",
      label: "Browsers may open terminals",
      hint: "For rules that do not say it themselves.",
      kind: "flag",
    },
    {
      name: "id_token_to_machine",
      label: "Machines get the provider's token",
      hint: "So that they can check it themselves.",
      kind: "flag",
    },
  ],
  log: [
    {
      name: "require.record",
      label: "Sessions are recorded",
      kind: "choice",
      choices: [
        { value: "off", label: "where a policy says so" },
        { value: "best_effort", label: "where possible" },
        { value: "required", label: "always: no recording, no session" },
      ],
    },
    {
      name: "audit_retention_days",
      label: "Days for which events are kept",
      hint: "Their hashes stay, so that the log can still be checked.",
      kind: "days",
    },
  ],
  network: [
    {
      name: "dns_domain",
      label: "Domain of the machines' names",
      hint: "Commands and known hosts name it: people have to learn a new one.",
      kind: "text",
    },
    {
      name: "network_range",
      label: "Addresses of new machines",
      hint: "A part of 100.64.0.0/10, from /10 to /24. Those that are there keep theirs.",
      kind: "text",
    },
  ],
};

/** The value at a path such as `require.record`. Null if there is none. */
export function settingAt(settings: Settings, name: string): SettingValue {
  const [first = "", second] = name.split(".");
  const outer = (settings as Readonly<Record<string, unknown>>)[first];
  const value =
    second === undefined ? outer : (outer as Readonly<Record<string, unknown>> | undefined)?.[second];
  return typeof value === "string" || typeof value === "number" || typeof value === "boolean" ? value : null;
}

/** The settings with `changes` applied, which are keyed by path. */
export function withChanges(settings: Settings, changes: ReadonlyMap<string, SettingValue>): Settings {
  const next: Record<string, unknown> = { ...settings };
  for (const [name, value] of changes) {
    const [first = "", second] = name.split(".");
    if (second === undefined) next[first] = value;
    else next[first] = { ...(next[first] as object | undefined), [second]: value };
  }
  return next as unknown as Settings;
}
