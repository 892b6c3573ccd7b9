import { expect, test } from "bun:test";
import { type LogFields, silentLog } from "../../../src/base/log.ts";
import { readGroups } from "../../../src/management/login/read-groups.ts";
import { aManagement } from "../../support/management.ts";

type Claims = Record<string, unknown>;

/** What was read, and what operators were told. */
function read(payload: Claims, userInfo: Claims = {}, groupsClaim: string | null = "groups") {
  const told: [string, LogFields | undefined][] = [];
  const log = {
    ...silentLog,
    warn: (message: string, fields?: LogFields) => void told.push([message, fields]),
  };
  const { oidc } = aManagement();
  const claim = readGroups({ oidc: { ...oidc, groupsClaim }, log }, payload, userInfo);
  return { claim, told };
}

test("without a claim in the settings, groups are not the provider's to say", () => {
  expect(read({ groups: ["devs"] }, {}, null).claim).toBeNull();
});

test("the ID token comes first, and UserInfo where the token says nothing", () => {
  expect(read({ groups: ["a"] }, { groups: ["b"] }).claim).toMatchObject({ entries: ["a"] });
  expect(read({ groups: [] }, { groups: ["b"] }).claim).toMatchObject({ entries: [] });
  expect(read({}, { groups: ["b"] }).claim).toMatchObject({ entries: ["b"] });
  expect(read({ hasgroups: true }, { groups: ["b"] }).claim).toMatchObject({ entries: ["b"] });
  expect(
    read({ realm_access: {} }, { realm_access: { roles: ["b"] } }, "realm_access.roles").claim,
  ).toMatchObject({
    entries: ["b"],
  });
  expect(read({}, {}).claim).toEqual({ kind: "absent" });
});

test.each<[what: string, payload: Claims, message: string, fields: LogFields]>([
  ["no names", { groups: 7 }, "groups claim holds no names", { got: "a number" }],
  [
    "entries that are no names",
    { groups: ["a", 1, null] },
    "groups claim holds entries that are no names",
    { entries: 2 },
  ],
])("a claim with %s is told to operators", (_what, payload, message, fields) => {
  const { told } = read(payload);
  expect(told).toMatchObject([[message, { claim: "groups", ...fields }]]);
});

test("names that are kept elsewhere are a failure and never no groups", () => {
  for (const payload of [{ hasgroups: true }, { _claim_names: { groups: "src1" } }]) {
    expect(() => read(payload)).toThrow("too many groups");
    expect(() => read(payload, { name: "Ada" })).toThrow("too many groups");
  }
});
