import { expect, test } from "bun:test";
import {
  DEFAULT_DOMAIN,
  defaultSettings,
  effectless,
  filled,
  mapSettings,
  theirs,
} from "../../../src/management/contracts/settings.ts";
import { AccountSettings } from "../../../src/wire/account-settings.ts";

test("the settings of a new account are ones that the API takes, with nothing left to guess", () => {
  const settings = defaultSettings();
  expect(AccountSettings.safeParse(settings).success).toBe(true);
  expect(filled(settings)).toEqual(filled({} as AccountSettings));
  expect(settings.dns_domain).toBe(DEFAULT_DOMAIN);
});

test("machines are told the defaults where an account says nothing", () => {
  expect(mapSettings({} as AccountSettings, "qf.internal")).toEqual({
    domain: "qf.internal",
    maxStaleSeconds: 3_600,
    maxStaleRootSeconds: 300,
    loginSecondsMax: 43_200,
    require: { record: "off", reason: false, approval: false, reauthWithinSeconds: null },
  });
});

test("and what it says where it does, zero and false included", () => {
  const settings = {
    ...defaultSettings(),
    max_stale_seconds: 10,
    require: { record: "required", reason: true, approval: false, reauth_within_seconds: 60 },
  } as const;
  expect(mapSettings(settings, "d")).toMatchObject({
    maxStaleSeconds: 10,
    require: { record: "required", reason: true, approval: false, reauthWithinSeconds: 60 },
  });
  expect(filled({ ...settings, prompt_login: false, id_token_to_machine: false })).toMatchObject({
    prompt_login: false,
    id_token_to_machine: false,
  });
});

test("a change of a setting without effect is named, one that has an effect or changes nothing is not", () => {
  const old = defaultSettings();
  expect(effectless(old, { ...old, lazy_connection_enabled: true })).toEqual(["lazy_connection_enabled"]);
  const extra = { ...theirs(old).extra, peer_approval_enabled: true, network_traffic_logs_enabled: true };
  expect(effectless(old, { ...old, extra })).toEqual(["extra.network_traffic_logs_enabled"]);
  expect(effectless(old, { ...old, max_stale_seconds: 10 })).toEqual([]);
  expect(effectless(old, { ...old, lazy_connection_enabled: undefined })).toEqual([]);
});
