/** Approvals and memberships with an end: each row is one step from the access that they open. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { asIfApproved, ruleToApprove } from "../../../src/policy/decide/approval.ts";
import { decide } from "../../../src/policy/decide/decide.ts";
import { denialOfNetwork } from "../../../src/policy/decide/network-rules.ts";
import { principalsOf } from "../../../src/policy/decide/principals.ts";
import type { AccessRequest } from "../../../src/policy/decide/request.ts";
import { prepareSnapshot } from "../../../src/policy/decide/snapshot.ts";
import type { MapApproval, MapRule, MapUser, NetworkMap } from "../../../src/wire/network-map.ts";
import { aMap, anId, aPeer, aRequest, aRule, aUser } from "../../support/policy.ts";

const NOW = 1_000_000;
const alice = aUser("alice", ["devs"]);
const laptop = aPeer("laptop", [], { ownerUserId: alice.id });
const rule = aRule("strict", ["devs"], ["deploy", "root"], { capabilities: { require_approval: true } });

function approval(change: Partial<MapApproval> = {}): MapApproval {
  return {
    ...{ id: anId("request"), ruleId: rule.id, userId: alice.id, devicePeerId: laptop.id },
    ...{ localUser: "deploy", untilSeconds: NOW + 60, ...change },
  };
}

function mapWith(
  approvals: readonly MapApproval[] | undefined,
  change: { rules?: readonly MapRule[]; users?: readonly MapUser[]; map?: Partial<NetworkMap> } = {},
): NetworkMap {
  const desktop = aPeer("desktop", [], { ownerUserId: alice.id });
  const map = aMap({
    users: change.users ?? [alice, aUser("bob", ["devs"])],
    peers: [laptop, desktop],
    rules: change.rules ?? [rule],
    change: change.map ?? {},
  });
  return approvals === undefined ? map : { ...map, self: { ...map.self, approvals: [...approvals] } };
}

function outcome(map: NetworkMap, request: Partial<AccessRequest> = {}): string {
  const decision = decide(aRequest({ nowSeconds: NOW, ...request }), prepareSnapshot(map));
  return decision.kind === "allow" ? "allow" : decision.reason;
}

describe("an approval", () => {
  test.each<[string, Partial<MapApproval>, Partial<AccessRequest>, string]>([
    ["lets in whom it names", {}, {}, "allow"],
    ["counts in its last second", { untilSeconds: NOW + 1 }, {}, "allow"],
    ["is over at its end", { untilSeconds: NOW }, {}, "approval_required"],
    ["is over by management's time too", {}, { endsAtSeconds: NOW + 60 }, "approval_required"],
    ["is over by the machine's clock, if management is behind", {}, { endsAtSeconds: NOW - 9 }, "allow"],
    ["of another rule counts for nothing", { ruleId: anId("loose") }, {}, "approval_required"],
    ["of another person counts for nothing", { userId: anId("bob") }, {}, "approval_required"],
    ["lets in nobody else", {}, { userId: anId("bob") }, "approval_required"],
    ["of another device counts for nothing", { devicePeerId: anId("desktop") }, {}, "approval_required"],
    ["lets in from no other device", {}, { devicePeerId: anId("desktop") }, "approval_required"],
    ["of another local user counts for nothing", { localUser: "root" }, {}, "approval_required"],
    ["lets nobody be another local user", {}, { localUser: "root" }, "approval_required"],
    ["maps no local user that its rule does not", {}, { localUser: "web" }, "local_user_unmapped"],
  ])("%s", (_, change, request, want) => {
    expect(outcome(mapWith([approval(change)]), request)).toBe(want);
  });

  test("is no proof: everything else is asked as well", () => {
    const capabilities = { require_approval: true, require_reason: true, reauth_within_seconds: 60 };
    const map = mapWith([approval()], { rules: [{ ...rule, capabilities }] });
    expect(outcome(map)).toBe("reason_required");
    expect(outcome(map, { reason: "INC-7" })).toBe("allow");
    expect(outcome(map, { reason: "INC-7", authTimeSeconds: NOW - 61 })).toBe("reauth_required");
    const disabled = mapWith([approval()], { rules: [{ ...rule, enabled: false }] });
    expect(outcome(disabled)).toBe("peer_not_authorized");
  });

  test("lets in no device that is not ours, and no peer by itself", () => {
    const capabilities = { require_approval: true, allow_unmanaged_devices: true };
    const map = mapWith([approval()], { rules: [{ ...rule, capabilities }] });
    expect(outcome(map, { devicePeerId: null })).toBe("approval_required");
  });

  test("meets what the account asks of every grant, under its own rule only", () => {
    const { settings } = aMap({});
    const map = { settings: { ...settings, require: { ...settings.require, approval: true } } };
    const loose = aRule("loose", ["devs"], ["deploy"]);
    expect(outcome(mapWith([approval()], { rules: [loose], map }))).toBe("approval_required");
    const own = approval({ ruleId: loose.id });
    expect(outcome(mapWith([own], { rules: [loose], map }))).toBe("allow");
  });

  test("ends the grant, so that it is asked for again in that second", () => {
    const map = mapWith([approval()], { rules: [{ ...rule, validUntilSeconds: NOW + 500 }] });
    const decision = decide(aRequest({ nowSeconds: NOW }), prepareSnapshot(map));
    expect(decision.kind === "allow" && decision.grant.validUntilSeconds).toBe(NOW + 60);
  });

  test("puts its local user into certificates, under full access as well", () => {
    const full = aRule("strict", ["devs"], "full", { capabilities: { require_approval: true } });
    const snapshot = prepareSnapshot(mapWith([approval()], { rules: [full] }));
    const { localUser: _, action: __, ...request } = aRequest({ nowSeconds: NOW });
    expect(principalsOf(request, snapshot)).toEqual(["deploy"]);
    const late = { ...request, nowSeconds: NOW + 60 };
    expect(principalsOf(late, snapshot)).toEqual([]);
  });
});

test("more approvals never turn a grant into a denial, nor open what their rules do not", () => {
  const some = fc.array(
    fc.record({
      rule: fc.constantFrom("strict", "other"),
      user: fc.constantFrom("alice", "bob"),
      device: fc.constantFrom("laptop", "desktop"),
      localUser: fc.constantFrom("deploy", "root", "web"),
      until: fc.constantFrom(NOW - 1, NOW, NOW + 1),
    }),
    { maxLength: 4 },
  );
  const who = fc.record({
    user: fc.constantFrom("alice", "bob"),
    device: fc.constantFrom("laptop", "desktop"),
    localUser: fc.constantFrom("deploy", "root", "web"),
  });
  fc.assert(
    fc.property(some, who, (list, asked) => {
      const approvals = list.map((one) =>
        approval({
          ...{ ruleId: anId(one.rule), userId: anId(one.user), devicePeerId: anId(one.device) },
          ...{ localUser: one.localUser, untilSeconds: one.until },
        }),
      );
      const request = {
        ...{ userId: anId(asked.user), devicePeerId: anId(asked.device), localUser: asked.localUser },
      };
      const isApproved = list.some(
        (one) =>
          one.rule === "strict" &&
          one.user === asked.user &&
          one.device === asked.device &&
          one.localUser === asked.localUser &&
          one.until > NOW,
      );
      const isListed = asked.localUser !== "web";
      expect(outcome(mapWith(approvals), request) === "allow").toBe(isApproved && isListed);
    }),
  );
});

describe("the rule to ask an approval for", () => {
  const ask = (map: NetworkMap, change: Partial<AccessRequest> = {}) =>
    ruleToApprove(aRequest({ nowSeconds: NOW, ...change }), prepareSnapshot(map));

  test("is the one that lacks nothing else", () => {
    expect(ask(mapWith(undefined))).toBe(rule.id);
  });

  test("is the least obliging of several", () => {
    const longer = { require_approval: true, max_session_seconds: 60 };
    const stricter = aRule("a-strict", ["devs"], ["deploy"], { capabilities: longer });
    expect(ask(mapWith(undefined, { rules: [stricter, rule] }))).toBe(rule.id);
  });

  test.each<[string, NetworkMap, Partial<AccessRequest>]>([
    ["is none where one is live", mapWith([approval()]), {}],
    ["is none where nothing would be opened", mapWith(undefined), { localUser: "web" }],
    ["is none for somebody whom no rule means", mapWith(undefined), { userId: anId("eve") }],
    ["is none for a device that is not ours", mapWith(undefined), { devicePeerId: null }],
    [
      "is none where a drop wins",
      mapWith(undefined, { rules: [rule, aRule("drop", ["devs"], "full", { action: "drop" })] }),
      {},
    ],
    ["is none where a reason comes first", mapWith(undefined, { rules: [reasoned()] }), {}],
  ])("%s", (_, map, request) => {
    expect(ask(map, request)).toBeNull();
  });

  function reasoned(): MapRule {
    return { ...rule, capabilities: { require_approval: true, require_reason: true } };
  }
});

test("as if nothing asked for an approval, whatever else is asked stays", () => {
  const { settings } = aMap({});
  const account = {
    settings: { ...settings, require: { ...settings.require, approval: true, reason: true } },
  };
  const snapshot = asIfApproved(prepareSnapshot(mapWith(undefined, { map: account })));
  const decided = (reason: string) => decide(aRequest({ nowSeconds: NOW, reason }), snapshot);
  expect(decided("INC-7").kind).toBe("allow");
  expect(decided("")).toMatchObject({ kind: "deny", reason: "reason_required" });
});

describe("a membership with an end", () => {
  const loose = aRule("loose", ["ops"], ["deploy"]);
  const guest = aUser("alice", [], { groupsUntil: { [anId("ops")]: NOW + 60 } });
  const map = mapWith(undefined, { rules: [loose], users: [guest] });

  test.each<[string, Partial<AccessRequest>, string]>([
    ["lets in before its end", { nowSeconds: NOW + 59 }, "allow"],
    ["is over at its end", { nowSeconds: NOW + 60 }, "peer_not_authorized"],
    ["is over by management's time too", { endsAtSeconds: NOW + 60 }, "peer_not_authorized"],
  ])("%s", (_, request, want) => {
    expect(outcome(map, request)).toBe(want);
  });

  test("ends the grant, and its device's way to the machine", () => {
    const decision = decide(aRequest({ nowSeconds: NOW }), prepareSnapshot(map));
    expect(decision.kind === "allow" && decision.grant.validUntilSeconds).toBe(NOW + 60);
    const reach = (nowSeconds: number) =>
      denialOfNetwork({ sourcePeerId: laptop.id, port: 22, nowSeconds }, prepareSnapshot(map));
    expect([reach(NOW + 59), reach(NOW + 60)]).toEqual([null, "network_not_allowed"]);
  });

  test("beside one without an end changes nothing", () => {
    const both = aUser("alice", ["ops"], { groupsUntil: { [anId("ops")]: NOW - 1 } });
    expect(outcome(mapWith(undefined, { rules: [loose], users: [both] }))).toBe("allow");
  });
});
