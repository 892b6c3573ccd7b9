/**
 * Topics of the settings, by their name in the address.
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

/** The topic that an address names. Anything else: the first. */
export function settingsTopicOf(text: string | undefined): SettingsTopic {
  return SETTINGS_TOPICS.find((topic) => topic === text) ?? "organisation";
}
