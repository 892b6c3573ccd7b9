/**
 * Topics of the settings, as an address names them.
 *
 * @module
 */
export const SETTINGS_TOPICS = [
  "organisation",
  "sign-in",
  "security",
  "log",
  "network",
  "streams",
  "notifications",
] as const;
export type SettingsTopic = (typeof SETTINGS_TOPICS)[number];

/** As an address has it. Anything else: the first. */
export function settingsTopicOf(text: string | undefined): SettingsTopic {
  return SETTINGS_TOPICS.find((topic) => topic === text) ?? "organisation";
}
