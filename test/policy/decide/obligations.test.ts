import { describe, expect, test } from "bun:test";
import {
  compareObligations,
  type Obligations,
  obligationsOf,
} from "../../../src/policy/decide/obligations.ts";
import type { MapSettings } from "../../../src/wire/network-map.ts";
import type { SshCapabilities } from "../../../src/wire/policy.ts";
import { aMap } from "../../support/policy.ts";

type Require = MapSettings["require"];
const nothing = aMap({}).settings.require;
const none: Obligations = {
  record: "off",
  allInput: false,
  approval: false,
  reason: false,
  reauthWithinSeconds: null,
  maxSessionSeconds: null,
};

describe("obligationsOf", () => {
  test.each<{ name: string; ssh?: SshCapabilities; account?: Partial<Require>; want: Partial<Obligations> }>([
    { name: "asks nothing by itself", want: {} },
    { name: "asks what the rule records", ssh: { record: "required" }, want: { record: "required" } },
    { name: "asks what the account records", account: { record: "required" }, want: { record: "required" } },
    {
      name: "keeps the account's recording where the rule asks less",
      ssh: { record: "best_effort" },
      account: { record: "required" },
      want: { record: "required" },
    },
    {
      name: "keeps the rule's recording where the account asks less",
      ssh: { record: "required" },
      account: { record: "best_effort" },
      want: { record: "required" },
    },
    { name: "asks for all input", ssh: { record_input: "all" }, want: { allInput: true } },
    { name: "asks for no more than what was shown", ssh: { record_input: "shown" }, want: {} },
    { name: "asks the rule's approval", ssh: { require_approval: true }, want: { approval: true } },
    { name: "asks the account's approval", account: { approval: true }, want: { approval: true } },
    {
      name: "asks the account's approval whatever the rule says",
      ssh: { require_approval: false },
      account: { approval: true },
      want: { approval: true },
    },
    { name: "asks the rule's reason", ssh: { require_reason: true }, want: { reason: true } },
    { name: "asks the account's reason", account: { reason: true }, want: { reason: true } },
    {
      name: "asks the account's reason whatever the rule says",
      ssh: { require_reason: false },
      account: { reason: true },
      want: { reason: true },
    },
    {
      name: "asks the rule's sign-in",
      ssh: { reauth_within_seconds: 60 },
      want: { reauthWithinSeconds: 60 },
    },
    {
      name: "asks the account's sign-in",
      account: { reauthWithinSeconds: 60 },
      want: { reauthWithinSeconds: 60 },
    },
    {
      name: "asks the fresher sign-in of the two: the rule's",
      ssh: { reauth_within_seconds: 30 },
      account: { reauthWithinSeconds: 60 },
      want: { reauthWithinSeconds: 30 },
    },
    {
      name: "asks the fresher sign-in of the two: the account's",
      ssh: { reauth_within_seconds: 60 },
      account: { reauthWithinSeconds: 30 },
      want: { reauthWithinSeconds: 30 },
    },
    { name: "bounds a session by the rule", ssh: { max_session_seconds: 5 }, want: { maxSessionSeconds: 5 } },
  ])("$name", ({ ssh, account, want }) => {
    expect(obligationsOf(ssh ?? {}, { ...nothing, ...account })).toEqual({ ...none, ...want });
  });
});

describe("compareObligations", () => {
  /** Each asks less than the next. */
  const ascending: readonly Partial<Obligations>[] = [
    {},
    { maxSessionSeconds: 600 },
    { maxSessionSeconds: 60 },
    { reauthWithinSeconds: 600 },
    { reauthWithinSeconds: 60 },
    { reauthWithinSeconds: 60, maxSessionSeconds: 600 },
    { reason: true },
    { reason: true, reauthWithinSeconds: 60 },
    { approval: true },
    { approval: true, reason: true },
    { record: "best_effort" },
    { record: "required" },
    { record: "required", approval: true },
    { record: "required", allInput: true },
  ];
  test("orders by recording, kept input, approval, reason, age of the sign-in and length of the session", () => {
    for (const [i, a] of ascending.entries()) {
      for (const [j, b] of ascending.entries()) {
        expect(Math.sign(compareObligations({ ...none, ...a }, { ...none, ...b }))).toBe(Math.sign(i - j));
      }
    }
  });
});
