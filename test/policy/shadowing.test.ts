import { expect, test } from "bun:test";
import { findShadows } from "../../src/policy/shadowing.ts";
import type { MapRule } from "../../src/wire/network-map.ts";

const none = { record: "off", reason: false, approval: false, reauthWithinSeconds: null } as const;
const aRule = (id: string, change: Partial<MapRule> = {}): MapRule => ({
  id,
  policyId: "p",
  enabled: true,
  action: "accept",
  protocol: "qufabric-ssh",
  ports: [],
  sources: ["devs"],
  sourcePeerId: null,
  sourceDevices: [],
  destinations: ["servers"],
  destinationPeerId: null,
  authorizedGroups: { devs: ["deploy"] },
  capabilities: {},
  machineLocalUsers: null,
  bidirectional: false,
  validFromSeconds: null,
  validUntilSeconds: null,
  schedule: null,
  postureChecks: [],
  ...change,
});
const strict = aRule("strict", { capabilities: { require_approval: true } });

const rows: { name: string; loose: Partial<MapRule>; fields: string[] }[] = [
  { name: "the same without approval", loose: {}, fields: ["ssh.require_approval"] },
  {
    name: "full access",
    loose: { authorizedGroups: {} },
    fields: ["authorized_groups", "ssh.require_approval"],
  },
  {
    name: "any local user",
    loose: { authorizedGroups: { devs: ["*"] } },
    fields: ["authorized_groups", "ssh.require_approval"],
  },
  {
    name: "All as its people",
    loose: { sources: ["all"], authorizedGroups: { all: ["deploy"] } },
    fields: ["ssh.require_approval"],
  },
  { name: "the same approval", loose: { capabilities: { require_approval: true } }, fields: [] },
  { name: "other people", loose: { authorizedGroups: { ops: ["deploy"] } }, fields: [] },
  {
    name: "other local users",
    loose: { authorizedGroups: { devs: ["ann"] } },
    fields: ["authorized_groups", "ssh.require_approval"],
  },
  { name: "other machines", loose: { destinations: ["databases"] }, fields: [] },
  { name: "other devices", loose: { sources: ["kiosks"] }, fields: [] },
  { name: "another protocol", loose: { protocol: "tcp" }, fields: [] },
  { name: "a drop", loose: { action: "drop" }, fields: [] },
  { name: "disabled", loose: { enabled: false }, fields: [] },
];

test.each(rows)("findShadows of a rule with $name finds $fields", ({ loose, fields }) => {
  const shadows = findShadows([strict, aRule("loose", loose)], "all", none);
  expect(shadows.find((shadow) => shadow.looser === "loose")?.fields ?? []).toEqual(fields);
});

test.each<[string, Partial<MapRule>]>([
  ["ssh.commands", { capabilities: { commands: ["/bin/true"], sftp: "write" } }],
  ["ssh.sftp", { capabilities: { sftp: "read" } }],
  ["ssh.record", { capabilities: { record: "required" } }],
  ["ssh.max_session_seconds", { capabilities: { max_session_seconds: 60 } }],
  ["schedule", { schedule: { windows: [{ days: ["mon"], from: "08:00", to: "18:00" }] } }],
  ["source_devices", { sourceDevices: ["managed"] }],
  ["source_posture_checks", { postureChecks: ["check"] }],
])("findShadows names %s alone", (field, change) => {
  const shadows = findShadows([aRule("strict", change), aRule("loose")], null, none);
  expect(shadows).toEqual([{ looser: "loose", stricter: "strict", fields: [field] }]);
});

test("what the account asks of everybody shadows nothing", () => {
  const require = { ...none, approval: true };
  expect(findShadows([strict, aRule("loose")], null, require)).toEqual([]);
});
