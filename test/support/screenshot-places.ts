/**
 * What `test/screenshots.ts` takes pictures of, besides the pages of one thing.
 */

export type Place = readonly [name: string, path: string];

export const PAGES: readonly Place[] = [
  ["my-access", "/"],
  ["overview", "/overview"],
  ["start-name", "/start?step=name"],
  ["start-sign-in", "/start?step=sign-in"],
  ["start-machine", "/start?step=machine"],
  ["start-people", "/start?step=people"],
  ["start-policy", "/start?step=policy"],
  ["start-login", "/start?step=login"],
  ["machines", "/machines"],
  ["add-machine", "/machines/add"],
  ["devices", "/devices"],
  ["people", "/people"],
  ["groups", "/groups"],
  ["setup-keys", "/setup-keys"],
  ["posture-checks", "/posture-checks"],
  ["rollouts", "/rollouts"],
  ["person-gone", "/people/nobody"],
  ["policies", "/policies"],
  ["policy-new", "/policies/new"],
  ["policy-tests", "/policies/tests"],
  ["policy-history", "/policies/history"],
  ["policy-file", "/policies/file"],
  ["access", "/access?machine=web1"],
  ["sessions", "/sessions"],
  ["sessions-history", "/sessions?show=history"],
  ["requests", "/requests"],
  ["audit", "/audit"],
  ["settings-organisation", "/settings/organisation"],
  ["settings-sign-in", "/settings/sign-in"],
  ["settings-security", "/settings/security"],
  ["settings-log", "/settings/log"],
  ["settings-network", "/settings/network"],
  ["settings-streams", "/settings/streams"],
  ["settings-notifications", "/settings/notifications"],
  ["account", "/account"],
  ["no-such-page", "/nowhere"],
];

/** What is open on a page: a button that is pressed, and what is there then. */
export const OPENED: readonly (readonly [name: string, path: string, button: string | RegExp])[] = [
  ["dialog-group", "/groups", "Edit On call"],
  ["dialog-invite", "/people", "Invite a person"],
  ["dialog-service-user", "/people", "New service user"],
  ["dialog-setup-key", "/setup-keys", "New setup key"],
  ["dialog-rollout", "/rollouts", "New rollout"],
  ["dialog-posture-check", "/posture-checks", "New posture check"],
  ["dialog-channel", "/settings/notifications", "Add a channel"],
  ["dialog-test", "/policies/tests", "Add a test"],
  ["dialog-view", "/machines", "View"],
];

/** Pages of those who are not signed in. */
export const OUTSIDE: readonly Place[] = [
  ["sign-in", "/"],
  ["hosted-over", "/login/hosted/abcdefghijklmnopqrstuvwxyz"],
  ["set-up-over", "/setup/none"],
];
