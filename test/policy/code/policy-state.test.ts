import { expect, test } from "bun:test";
import {
  changesBetween,
  isSameState,
  policyStateOf,
  renderState,
} from "../../../src/policy/code/policy-state.ts";
import { resolveFile } from "../../../src/policy/code/resolve.ts";
import type { PolicyAccount } from "../../../src/wire/policy-account.ts";
import { anId } from "../../support/policy.ts";
import { aPolicyAccount, WHOLE_FILE, withFile } from "../../support/policy-account.ts";

/** What `account` would be with the file of that state. */
function restored(account: PolicyAccount, from: PolicyAccount): PolicyAccount {
  const resolution = resolveFile(renderState(account, policyStateOf(from)), account);
  if (resolution.kind === "refused") throw new Error(JSON.stringify(resolution.faults));
  return resolution.account;
}

const said = (account: PolicyAccount) => policyStateOf(account);

test("a state restored over any other says what it said, and over itself changes nothing", () => {
  const whole = withFile(WHOLE_FILE);
  expect(said(restored(whole, whole))).toEqual(said(whole));
  expect(restored(whole, whole).policies).toEqual(whole.policies);
  expect(isSameState(said(restored(whole, aPolicyAccount())), said(aPolicyAccount()))).toBe(true);
  const back = restored(aPolicyAccount(), whole);
  expect([back.policies.length, back.tests.length]).toEqual([whole.policies.length, whole.tests.length]);
});

test("a policy that was renamed since keeps its id, and a group its new name", () => {
  const then = withFile(WHOLE_FILE);
  const now = {
    ...then,
    policies: then.policies.map((policy) =>
      policy.name === "deploy" ? { ...policy, name: "other" } : policy,
    ),
    groups: then.groups.map((group) => (group.name === "web" ? { ...group, name: "servers" } : group)),
  };
  const back = restored(now, then);
  expect(back.policies.map(({ id, name }) => [id, name])).toEqual(
    then.policies.map(({ id, name }) => [id, name]),
  );
  expect(back.groups.find(({ id }) => id === anId("web"))?.name).toBe("servers");
});

test("a group that is gone is named, to be made again; a machine that is gone is refused", () => {
  const then = withFile(WHOLE_FILE);
  const without = (name: string): PolicyAccount => ({
    ...aPolicyAccount(),
    groups: aPolicyAccount().groups.filter((group) => group.name !== name),
    peers: aPolicyAccount().peers.filter((peer) => peer.shownName !== name),
  });
  expect(restored(without("developers"), then).groups.some(({ name }) => name === "developers")).toBe(true);
  const refused = resolveFile(renderState(without("db1"), policyStateOf(then)), without("db1"));
  expect(refused.kind).toBe("refused");
});

test.each([
  [
    "another name of a group",
    (account: PolicyAccount) => ({ groups: account.groups.map((g) => ({ ...g, name: `${g.name}2` })) }),
    true,
  ],
  [
    "another setting of a group",
    (account: PolicyAccount) => ({
      groups: account.groups.map((g) => ({ ...g, settings: { requestable: true } })),
    }),
    false,
  ],
  ["no tests", () => ({ tests: [] }), false],
  ["no policies", () => ({ policies: [] }), false],
])("with %s the state is the same: %#", (_, change, expected) => {
  const account = withFile(WHOLE_FILE);
  expect(isSameState(said(account), said({ ...account, ...change(account) }))).toBe(expected);
});

test("a save that changes nothing but the objects has no changes", () => {
  const state = policyStateOf(withFile(WHOLE_FILE));
  expect(changesBetween(state, structuredClone(state), () => true)).toEqual([]);
});

test("a group that lost its settings was changed if it is still there, and removed if not", () => {
  const account = withFile(WHOLE_FILE);
  const [group] = account.groups.filter(({ settings }) => Object.keys(settings).length > 0);
  const id = group?.id ?? "";
  const before = policyStateOf({ ...account, policies: [] });
  const after = { ...before, groups: before.groups.filter((one) => one.id !== id) };
  const changes = (exists: boolean) => changesBetween(before, after, (other) => exists || other !== id);
  expect(changes(true)).toEqual([{ what: "group", change: "changed", name: group?.name ?? "" }]);
  expect(changes(false)).toEqual([{ what: "group", change: "removed", name: group?.name ?? "" }]);
});
