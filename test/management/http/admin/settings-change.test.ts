/** What a change of settings comes to. */
import { expect, test } from "bun:test";
import { defaultSettings } from "../../../../src/management/contracts/settings.ts";
import {
  isLessKept,
  isOtherSignIn,
  mergeSettings,
} from "../../../../src/management/http/admin/settings-change.ts";
import type { AccountSettings } from "../../../../src/wire/account-settings.ts";

const old = defaultSettings();

test("what is left out stays", () => {
  const settings = { prompt_login: false, require: { reason: true } } as AccountSettings;
  const merged = mergeSettings({ ...old, require: { record: "required" } }, settings);
  expect(merged.require).toMatchObject({ record: "required", reason: true });
  expect(merged).toMatchObject({ prompt_login: false, login_confirmation: "code" });
});

test.each<[change: object, isLess: boolean, isOther: boolean]>([
  [{}, false, false],
  [{ organization_name: "Example" }, false, false],
  [{ audit_retention_days: 366 }, false, false],
  [{ audit_retention_days: 364 }, true, false],
  [{ require: { record: "required" } }, false, false],
  [{ login_confirmation: "click" }, false, true],
  [{ extra: { peer_approval_enabled: true } }, false, true],
])("%j", (change, isLess, isOther) => {
  const now = mergeSettings(old, change as AccountSettings);
  expect([isLessKept(old, now), isOtherSignIn(old, now)]).toEqual([isLess, isOther]);
});
