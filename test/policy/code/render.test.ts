import { expect, test } from "bun:test";
import { planOf } from "../../../src/policy/code/plan.ts";
import { renderFile } from "../../../src/policy/code/render.ts";
import { resolveFile } from "../../../src/policy/code/resolve.ts";
import type { AccountRule, PolicyAccount } from "../../../src/wire/policy-account.ts";
import { PolicyFile } from "../../../src/wire/policy-file.ts";
import { anId } from "../../support/policy.ts";
import { aPolicyAccount, WHOLE_FILE, withFile } from "../../support/policy-account.ts";

test("what is rendered resolves to the very same account", () => {
  const account = withFile(WHOLE_FILE);
  const again = resolveFile(PolicyFile.parse(renderFile(account)), account);
  expect(again.kind).toBe("resolved");
  if (again.kind !== "resolved") return;
  expect(again.account).toEqual(account);
  expect(planOf(account, again.account)).toEqual([]);
  expect(again.account.policies).toBe(account.policies);
});

test("two policies of one name are told apart by their ids", () => {
  const account = withFile(WHOLE_FILE);
  const twins = { ...account, policies: account.policies.map((policy) => ({ ...policy, name: "twin" })) };
  const file = PolicyFile.parse(renderFile(twins));
  expect(file.policies?.every(({ id }) => id?.startsWith("id:"))).toBe(true);
  expect(resolveFile(file, twins)).toEqual({ kind: "resolved", account: twins });
});

const plain: AccountRule = {
  ...{ id: anId("rule"), name: "r", enabled: true, action: "accept", bidirectional: false },
  ...{ protocol: "qufabric-ssh", sources: [anId("ops")], destinations: [anId("web")] },
};

/** Another value of each field, with what it needs beside it. A new field does not compile without one. */
const CHANGES: Readonly<Record<Exclude<keyof AccountRule, "id">, Partial<AccountRule>>> = {
  name: { name: "nightly" },
  description: { description: "at night" },
  enabled: { enabled: false },
  action: { action: "drop" },
  bidirectional: { protocol: "tcp", bidirectional: true },
  protocol: { protocol: "tcp" },
  ports: { protocol: "tcp", ports: ["443"] },
  port_ranges: { protocol: "tcp", port_ranges: [{ start: 8000, end: 8080 }] },
  authorized_groups: { authorized_groups: { [anId("ops")]: ["deploy"] } },
  ssh: { ssh: { pty: false } },
  source_devices: { source_devices: [anId("managed-laptops")] },
  allow_intercepted: { allow_intercepted: [anId("managed-laptops")] },
  machine_local_users: { protocol: "tcp", machine_local_users: ["backup"] },
  valid_from: { valid_from: 1_000 },
  valid_until: { valid_until: 2_000 },
  schedule: { schedule: { windows: [{ days: ["mon"], from: "08:00", to: "18:00" }] } },
  approver_groups: { approver_groups: [anId("ops")] },
  approval_seconds: { approval_seconds: 600 },
  sources: { sources: [anId("developers")] },
  sourceResource: { sources: undefined, sourceResource: { id: anId("bob-laptop"), type: "peer" } },
  destinations: { destinations: [anId("db")] },
  destinationResource: { destinations: undefined, destinationResource: { id: anId("db1"), type: "peer" } },
};

function withRule(rule: AccountRule): PolicyAccount {
  const policy = { id: anId("policy"), name: "p", description: null, enabled: true, sourcePostureChecks: [] };
  return aPolicyAccount({ policies: [{ ...policy, rules: [rule] }] });
}

test.each(Object.entries(CHANGES))(
  "a change of the field %s of a rule is in the file, and put into effect",
  (_field, change) => {
    const changed = withRule({ ...plain, ...change });
    const file = PolicyFile.parse(renderFile(changed));
    expect(resolveFile(file, withRule(plain))).toEqual({ kind: "resolved", account: changed });
  },
);
