/** Each field of a rule as it is written, one at a time: what it changes of the rule that machines get. */
import { expect, test } from "bun:test";
import { MAP_FIELDS, mapRule } from "../../../src/management/maps/account-snapshot.ts";
import type { MapRule } from "../../../src/wire/network-map.ts";
import type { PolicyRuleWrite } from "../../../src/wire/policy.ts";
import { anId } from "../../support/policy.ts";

const plain: PolicyRuleWrite = {
  ...{ id: anId("rule"), name: "", enabled: true, action: "accept", bidirectional: false },
  ...{ protocol: "qufabric-ssh", sources: [], destinations: [] },
};

/** Another value of each field. A new field does not compile without one. */
const OTHERS: Readonly<Required<PolicyRuleWrite>> = {
  id: anId("other"),
  name: "nightly",
  description: "at night",
  enabled: false,
  action: "drop",
  bidirectional: true,
  protocol: "tcp",
  ports: ["443"],
  port_ranges: [{ start: 8000, end: 8080 }],
  authorized_groups: { [anId("devs")]: ["deploy"] },
  ssh: { pty: false },
  source_devices: [anId("laptops")],
  allow_intercepted: [anId("bastions")],
  machine_local_users: ["backup"],
  valid_from: 1_000,
  valid_until: 2_000,
  schedule: { windows: [{ days: ["mon"], from: "08:00", to: "18:00" }] },
  approver_groups: [anId("ops")],
  approval_seconds: 600,
  sources: [anId("devs")],
  sourceResource: { id: anId("laptop"), type: "peer" },
  destinations: [anId("servers")],
  destinationResource: { id: anId("web1"), type: "peer" },
};

const OPEN = { allowBrowsers: true };

function mapped({ id, ...body }: PolicyRuleWrite): MapRule {
  const policy = { id: anId("policy"), enabled: true, sourcePostureChecks: [] };
  const row = { id: id ?? "", accountId: anId("account"), policyId: policy.id, position: 0, body };
  return mapRule(policy as unknown as Parameters<typeof mapRule>[0], row, OPEN);
}

test.each(Object.entries(MAP_FIELDS))("the field %s of a rule is %s in a map", (field, expected) => {
  const before = mapped(plain);
  const after = mapped({ ...plain, [field]: OTHERS[field as keyof PolicyRuleWrite] });
  const changed = (Object.keys({ ...before, ...after }) as (keyof MapRule)[]).filter(
    (name) => JSON.stringify(before[name]) !== JSON.stringify(after[name]),
  );
  expect(changed).toEqual(expected === null ? [] : [expected]);
});

test("a rule of a disabled policy is disabled, and has the posture checks of its policy", () => {
  const policy = { id: anId("policy"), enabled: false, sourcePostureChecks: [anId("check")] };
  const { id = "", ...body } = plain;
  const row = { id: id ?? "", accountId: anId("account"), policyId: policy.id, position: 0, body };
  const rule = mapRule(policy as unknown as Parameters<typeof mapRule>[0], row, OPEN);
  expect(rule).toMatchObject({ enabled: false, postureChecks: [anId("check")] });
});
