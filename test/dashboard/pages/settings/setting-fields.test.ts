import { expect, test } from "bun:test";
import {
  FIELDS,
  type Settings,
  settingAt,
  withChanges,
} from "../../../../src/dashboard/pages/settings/setting-fields.ts";
import { defaultSettings } from "../../../../src/management/contracts/settings.ts";

const SETTINGS = defaultSettings() as Settings;

test("every field is a setting that there is", () => {
  const names = Object.values(FIELDS).flatMap((fields) => fields.map((field) => field.name));
  const there = names.filter((name) => {
    const [first = "", second] = name.split(".");
    const outer = (SETTINGS as Record<string, unknown>)[first];
    // Of a new account the range is that of all addresses, told when it is asked for.
    return second === undefined ? outer !== undefined : Object.hasOwn(outer as object, second);
  });
  expect(names.filter((name) => !there.includes(name))).toEqual([]);
});

test("a setting within another is read and changed, and those beside it stay", () => {
  const changed = withChanges(SETTINGS, new Map([["require.reason", true]]));
  expect([settingAt(SETTINGS, "require.reason"), settingAt(changed, "require.reason")]).toEqual([
    false,
    true,
  ]);
  expect(changed).toEqual({ ...SETTINGS, require: { ...SETTINGS.require, reason: true } } as Settings);
  expect(settingAt(SETTINGS, "require.reauth_within_seconds")).toBe(null);
});
