import { expect, test } from "bun:test";
import fc from "fast-check";
import { type Decision, decide } from "../../../src/policy/decide/decide.ts";
import { OUTCOME } from "../../../src/policy/decide/outcomes.ts";
import type { AccessRequest } from "../../../src/policy/decide/request.ts";
import { prepareSnapshot } from "../../../src/policy/decide/snapshot.ts";
import type { Action } from "../../../src/wire/decision.ts";
import type { MapRule } from "../../../src/wire/network-map.ts";
import { aMap, anId, aPeer, aRequest, aRule, aUser } from "../../support/policy.ts";

const GROUPS = ["devs", "ops", "dbas", "byod"] as const;
const LOCAL_USERS = ["deploy", "web", "root"] as const;
const users = [aUser("alice", ["devs"]), aUser("bob", ["ops", "dbas"]), aUser("eve", [])];
const peers = [
  aPeer("laptop", [], { ownerUserId: anId("alice") }),
  aPeer("desktop", ["byod"], { ownerUserId: anId("bob") }),
  aPeer("build", ["ops"]),
];

const groupList = fc.uniqueArray(fc.constantFrom(...GROUPS), { maxLength: 3 });
const localUsers = fc.uniqueArray(fc.constantFrom(...LOCAL_USERS, "*"), { minLength: 1, maxLength: 3 });
const action: fc.Arbitrary<Action> = fc.constantFrom<Action[]>(
  { kind: "connect" },
  { kind: "shell" },
  { kind: "sftp" },
  { kind: "exec", command: "/bin/true" },
  { kind: "local_forward", host: "db", port: 5432 },
);

const anyRule: fc.Arbitrary<MapRule> = fc
  .record({
    word: fc.integer({ min: 0, max: 10_000 }).map((n) => `r${n}`),
    sources: groupList,
    devices: fc.oneof(fc.constant<(typeof GROUPS)[number][]>([]), groupList),
    keys: fc.dictionary(fc.constantFrom(...GROUPS), localUsers, { maxKeys: 3 }),
    protocol: fc.constantFrom(
      "qufabric-ssh" as const,
      "qufabric-ssh" as const,
      "tcp" as const,
      "all" as const,
    ),
    enabled: fc.boolean(),
    toServers: fc.boolean(),
    until: fc.constantFrom<(number | null)[]>(null, 999_999, 1_000_001),
    sftp: fc.constantFrom("write" as const, "off" as const),
    commands: fc.constantFrom<(string[] | null)[]>(null, ["/bin/true"]),
    reauth: fc.constantFrom<(number | undefined)[]>(undefined, 5, 60),
    unmanaged: fc.boolean(),
  })
  .map((r) =>
    aRule(r.word, r.sources, "full", {
      enabled: r.enabled,
      protocol: r.protocol,
      sourceDevices: r.devices.map(anId),
      authorizedGroups: Object.fromEntries(Object.entries(r.keys).map(([key, list]) => [anId(key), list])),
      destinations: [anId(r.toServers ? "servers" : "other")],
      validUntilSeconds: r.until,
      capabilities: {
        sftp: r.sftp,
        commands: r.commands,
        allow_unmanaged_devices: r.unmanaged,
        ...(r.reauth === undefined ? {} : { reauth_within_seconds: r.reauth }),
      },
    }),
  );
const rules = fc.uniqueArray(anyRule, { maxLength: 6, selector: (rule) => rule.id });

const anyRequest: fc.Arbitrary<AccessRequest> = fc
  .record({
    user: fc.constantFrom("alice", "bob", "eve", "mallory"),
    device: fc.constantFrom("laptop", "desktop", "build", null),
    localUser: fc.constantFrom(...LOCAL_USERS),
    action,
  })
  .map((r) =>
    aRequest({
      userId: anId(r.user),
      devicePeerId: r.device === null ? null : anId(r.device),
      localUser: r.localUser,
      action: r.action,
    }),
  );

const decideWith = (list: readonly MapRule[], request: AccessRequest): Decision =>
  decide(request, prepareSnapshot(aMap({ users, peers, rules: list })));
const runs = { numRuns: 2_000 };

test("removing an accept rule never grants", () => {
  fc.assert(
    fc.property(rules, anyRequest, fc.nat(), (list, request, at) => {
      const fewer = list.filter((_, i) => i !== at % Math.max(1, list.length));
      if (decideWith(list, request).kind === "deny") expect(decideWith(fewer, request).kind).toBe("deny");
    }),
    runs,
  );
});

test("adding a drop never grants", () => {
  fc.assert(
    fc.property(rules, anyRule, anyRequest, (list, extra, request) => {
      const drop: MapRule = { ...extra, id: anId("drop"), action: "drop" };
      if (decideWith(list, request).kind === "deny") {
        expect(decideWith([...list, drop], request).kind).toBe("deny");
      }
    }),
    runs,
  );
});

test("full access in one rule changes nothing for people outside of it", () => {
  fc.assert(
    fc.property(rules, groupList, anyRequest, (list, sources, request) => {
      const groups = users.find((user) => user.id === request.userId)?.groups ?? [];
      const full = aRule("fullaccess", sources, "full");
      fc.pre(!full.sources.some((group) => groups.includes(group)));
      const before = decideWith(list, request);
      const after = decideWith([...list, full], request);
      expect(after.kind).toBe(before.kind);
      if (before.kind === "allow" && after.kind === "allow") expect(after.grant).toEqual(before.grant);
    }),
    runs,
  );
});

test("order of rules never matters", () => {
  fc.assert(
    fc.property(rules, anyRequest, fc.nat(), (list, request, seed) => {
      const shuffled = [...list].sort((a, b) => (Bun.hash(a.id, seed) < Bun.hash(b.id, seed) ? -1 : 1));
      expect(decideWith(shuffled, request)).toEqual(decideWith(list, request));
    }),
    runs,
  );
});

test("a grant is always one enabled accept rule's own", () => {
  fc.assert(
    fc.property(rules, anyRequest, (list, request) => {
      const decision = decideWith(list, request);
      if (decision.kind === "deny") return;
      const alone = list.filter((rule) => rule.id === decision.grant.ruleId);
      expect(alone).toHaveLength(1);
      expect(decideWith(alone, request).kind).toBe("allow");
    }),
    runs,
  );
});

test("every denial by rules traces every rule to a condition that failed", () => {
  fc.assert(
    fc.property(rules, anyRequest, (list, request) => {
      const decision = decideWith(list, request);
      if (decision.kind === "allow" || decision.trace.ruleIds.length === 0) return;
      expect(decision.trace.ruleIds).toEqual(list.map((rule) => rule.id).sort());
      if (decision.reason === "denied_by_rule") return;
      expect([...decision.trace.outcomes]).not.toContain(OUTCOME.granted);
    }),
    runs,
  );
});
