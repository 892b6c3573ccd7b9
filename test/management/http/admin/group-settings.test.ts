import { expect, test } from "bun:test";
import { settingsAfter, shownSettings } from "../../../../src/management/http/admin/group-settings.ts";
import { GroupRequest } from "../../../../src/wire/admin-api.ts";

const after = (before: Parameters<typeof settingsAfter>[0], body: object) =>
  settingsAfter(before, GroupRequest.parse({ name: "ops", ...body }));

test("settings that a request leaves out stay; false and none are the defaults", () => {
  const before = { requestable: true, approverGroups: ["a".repeat(20)], requestSecondsMax: 60 };
  expect(after(before, {})).toEqual(before);
  expect(after(before, { requestable: null, approver_groups: null })).toEqual(before);
  expect(after(before, { requestable: false, approver_groups: [] })).toEqual({ requestSecondsMax: 60 });
  expect(after(null, {})).toBeNull();
  expect(after(null, { requestable: true })).toEqual({ requestable: true });
  const require = { record: "required", reason: true } as const;
  expect(after({ require }, { require: { reason: false } })).toEqual({ require: { record: "required" } });
  expect(after({ require }, { require: { record: "off", reason: false } })).toBeNull();
});

test("settings are shown where there are some", () => {
  expect(shownSettings({ settings: null })).toEqual({});
  expect(shownSettings({ settings: { requestable: true, requestSecondsMax: 60 } })).toEqual({
    ...{ requestable: true, request_seconds_max: 60 },
  });
});
