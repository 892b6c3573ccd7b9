import { describe, expect, test } from "bun:test";
import { planImport } from "../../src/cli/netbird-import.ts";
import { NetBirdGroup, NetBirdPolicy, NetBirdSetupKey, NetBirdUser } from "../../src/wire/netbird-api.ts";
import { PolicyFile } from "../../src/wire/policy-file.ts";
import { NETBIRD, netBirdPolicy, netBirdRule } from "../support/netbird-server.ts";

const NOW = Date.parse("2026-01-01T00:00:00Z") / 1000;
const DAY = 86_400;

function plan(change: Partial<Record<keyof typeof NETBIRD, unknown[]>> = {}) {
  const all = { ...NETBIRD, ...change };
  const account = {
    groups: NetBirdGroup.array().parse(all.groups),
    users: NetBirdUser.array().parse(all.users),
    setupKeys: NetBirdSetupKey.array().parse(all["setup-keys"]),
    policies: NetBirdPolicy.array().parse(all.policies),
  };
  const found = planImport(account, NOW);
  // Whatever comes out is a policy file.
  PolicyFile.parse(found.file);
  return found;
}

test("groups, service users and keys that still work are made, and nothing of everybody's group", () => {
  const found = plan();
  expect(found.groups).toEqual(["Developers", "Web servers"]);
  expect(found.serviceUsers).toEqual([{ name: "ci", groups: ["Developers"] }]);
  expect(found.setupKeys).toEqual([
    { name: "web", type: "reusable", expiresInSeconds: 365 * DAY, usageLimit: 0, groups: ["Web servers"] },
    { name: "one", type: "one-off", expiresInSeconds: 365 * DAY, usageLimit: 1, groups: [] },
  ]);
});

test("a person is left to sign in, with the groups that they had", () => {
  const [note] = plan().notes.filter((line) => line.includes("Ada"));
  expect(note).toContain("auth0|ada");
  expect(note).toContain("Developers");
});

test("a service user is made without the rights that it had", () => {
  expect(plan().notes.some((line) => line.includes("service user ci was admin"))).toBe(true);
});

test.each([
  ["2026-01-11T00:00:00Z", 10 * DAY],
  ["2030-01-01T00:00:00Z", 365 * DAY],
  ["0001-01-01T00:00:00Z", 365 * DAY],
  ["2025-12-31T00:00:00Z", null],
])("a key that ends %s has %p seconds here", (expires, seconds) => {
  const [web] = NETBIRD["setup-keys"];
  const [key] = plan({ "setup-keys": [{ ...web, expires }] }).setupKeys;
  expect(key?.expiresInSeconds ?? null).toBe(seconds);
});

const rulesOf = (change: Record<string, unknown>, policy: Record<string, unknown> = {}) =>
  plan({ policies: [netBirdPolicy([netBirdRule(change)], policy)] }).file.policies ?? [];

describe("a rule", () => {
  test("for SSH says by names what it said by ids", () => {
    expect(rulesOf({})).toEqual([
      {
        name: "deploy",
        rules: [
          {
            name: "deploy",
            sources: ["Developers"],
            destinations: ["Web servers"],
            authorized_groups: { Developers: ["deploy"] },
          },
        ],
      },
    ]);
  });

  test("for a path keeps its ports and its direction", () => {
    const change = {
      protocol: "tcp",
      ports: ["443"],
      port_ranges: [{ start: 1, end: 2 }],
      bidirectional: true,
    };
    expect(rulesOf({ ...change, authorized_groups: undefined })[0]?.rules[0]).toMatchObject({
      ...{ protocol: "tcp", ports: [443], port_ranges: [{ start: 1, end: 2 }], bidirectional: true },
    });
  });

  test.each<[what: string, change: Record<string, unknown>]>([
    ["for udp", { protocol: "udp" }],
    ["for icmp", { protocol: "icmp" }],
    ["with a protocol of a later version", { protocol: "sctp" }],
    ["from a single peer", { sourceResource: { id: "x", type: "peer" }, sources: null }],
    ["to a network", { destinationResource: { id: "x", type: "subnet" }, destinations: null }],
    ["without a source", { sources: [] }],
  ])("%s is left out, and said", (_what, change) => {
    const found = plan({ policies: [netBirdPolicy([netBirdRule(change)])] });
    expect(found.file.policies).toEqual([]);
    expect(found.notes.filter((line) => line.startsWith("policy deploy: rule deploy"))).toHaveLength(1);
  });
});

describe("nothing grants that did not", () => {
  test.each<[what: string, change: Record<string, unknown>]>([
    ["names no OS user", { authorized_groups: {} }],
    ["names OS users of a group that is gone", { authorized_groups: { gone: ["deploy"] } }],
    ["names a group without an OS user", { authorized_groups: { g1: [] } }],
    ["was disabled", { enabled: false }],
  ])("an SSH rule that %s is written disabled", (_what, change) => {
    expect(rulesOf(change)[0]?.rules[0]?.enabled).toBe(false);
  });

  test.each<[what: string, policy: Record<string, unknown>]>([
    ["has posture checks", { source_posture_checks: ["c1"] }],
    ["was disabled", { enabled: false }],
  ])("a policy that %s is written disabled", (_what, policy) => {
    expect(rulesOf({}, policy)[0]?.enabled).toBe(false);
  });

  test.each<[what: string, change: Record<string, unknown>, isOff: boolean]>([
    ["of a single peer", { sourceResource: { id: "x", type: "peer" } }, true],
    ["of another protocol", { protocol: "sctp" }, true],
    ["that counts for nothing here", { protocol: "udp" }, false],
    ["that was disabled", { enabled: false, sourceResource: { id: "x", type: "peer" } }, false],
    ["that can be said", {}, false],
  ])("a drop %s leaves the rest enabled only where it is not missed", (_what, change, isOff) => {
    const drop = netBirdPolicy([netBirdRule({ action: "drop", ...change })], { name: "closed" });
    const { file } = plan({ policies: [netBirdPolicy([netBirdRule()]), drop] });
    expect(file.policies?.[0]?.enabled).toBe(isOff ? false : undefined);
  });

  test("groups that would become one here are named, and nothing is enabled", () => {
    const groups = [...NETBIRD.groups, { id: "g9", name: "DEVELOPERS" }];
    const found = plan({ groups });
    expect(found.alike).toEqual(["DEVELOPERS"]);
    expect(found.file.policies?.map(({ enabled }) => enabled)).toEqual([false]);
    expect(plan().alike).toEqual([]);
  });

  test("a drop of SSH both ways is two", () => {
    const rules = rulesOf({ action: "drop", bidirectional: true, authorized_groups: {} })[0]?.rules ?? [];
    expect(rules.map(({ action, sources, destinations }) => [action, sources, destinations])).toEqual([
      ["drop", ["Developers"], ["Web servers"]],
      ["drop", ["Web servers"], ["Developers"]],
    ]);
  });
});
