import { describe, expect, test } from "bun:test";
import { decide, decidePeer, recordOf } from "../../../src/policy/decide/decide.ts";
import type { AccessRequest, PeerAccessRequest } from "../../../src/policy/decide/request.ts";
import { prepareSnapshot } from "../../../src/policy/decide/snapshot.ts";
import { sentenceOf } from "../../../src/policy/sentences.ts";
import type { MapPeer, MapRule, MapSettings, MapUser, NetworkMap } from "../../../src/wire/network-map.ts";
import { REASON_CODES, type ReasonCode } from "../../../src/wire/reason.ts";
import { allFlags, aMap, anId, aPeer, aPeerRequest, aRequest, aRule, aUser } from "../../support/policy.ts";

// Alice, in devs, on her laptop, may be deploy. Every row differs from that in one respect.
const alice = aUser("alice", ["devs"]);
const laptop = aPeer("laptop", [], { ownerUserId: alice.id });
const rule = aRule("base", ["devs"], ["deploy"]);
/** A machine whose agent may bring its users' other programs, and a rule that says so. */
const bastion: MapPeer = { ...aPeer("bastion", ["bastions"]), kind: "machine" };
const brought: MapRule = { ...rule, allowIntercepted: [anId("bastions")] };

interface Row {
  readonly name: string;
  readonly want: ReasonCode | "allow";
  readonly rules?: readonly MapRule[];
  readonly user?: MapUser | null;
  readonly device?: MapPeer | null;
  readonly others?: readonly MapPeer[];
  readonly request?: Partial<AccessRequest>;
  readonly change?: Partial<NetworkMap>;
}

function outcome(row: Row): ReasonCode | "allow" {
  const users = row.user === null ? [] : [row.user ?? alice];
  const peers = row.device === null ? [] : [row.device ?? laptop, ...(row.others ?? [])];
  const map = aMap({
    users,
    peers,
    rules: row.rules ?? [rule],
    ...(row.change ? { change: row.change } : {}),
  });
  const decision = decide(aRequest(row.request), prepareSnapshot(map));
  return decision.kind === "deny" ? decision.reason : "allow";
}

const self = aMap({}).self;
const settings = aMap({}).settings;

describe("decide on who asks", () => {
  test.each<Row>([
    { name: "grants a listed local user", want: "allow" },
    { name: "denies a person no rule speaks of", user: null, device: null, want: "peer_not_authorized" },
    { name: "denies a blocked person", user: { ...alice, status: "blocked" }, want: "user_blocked" },
    {
      name: "denies a person waiting for approval",
      user: { ...alice, status: "pending" },
      want: "user_pending",
    },
    { name: "denies an unknown device", device: null, want: "device_unknown" },
    { name: "denies a blocked device", device: { ...laptop, status: "blocked" }, want: "device_blocked" },
    {
      name: "denies a device waiting for approval",
      device: { ...laptop, status: "pending" },
      want: "device_pending",
    },
    {
      name: "denies a person named like a property of objects",
      request: { userId: "__proto__" },
      want: "peer_not_authorized",
    },
    {
      name: "denies a device named like a property of objects",
      request: { devicePeerId: "constructor" },
      want: "device_unknown",
    },
    {
      name: "denies when SSH is off for the peer",
      change: { self: { ...self, sshEnabled: false } },
      want: "ssh_disabled",
    },
    {
      name: "denies when the machine runs no SSH server",
      request: { flags: { ...allFlags, sshServer: false } },
      want: "ssh_disabled",
    },
  ])("$name", (row) => expect(outcome(row)).toBe(row.want));
});

describe("decide on rules", () => {
  const dba = aRule("dba", ["dbas"], ["postgres"]);
  test.each<Row>([
    { name: "denies the peer when there are no rules", rules: [], want: "peer_not_authorized" },
    {
      name: "denies a person in no group of the rule",
      user: aUser("alice", ["ops"]),
      device: aPeer("laptop", ["devs"]),
      want: "peer_not_authorized",
    },
    {
      name: "does nothing with a disabled rule",
      rules: [{ ...rule, enabled: false }],
      want: "peer_not_authorized",
    },
    {
      name: "ignores a rule for another machine",
      rules: [{ ...rule, destinations: [anId("laptops")] }],
      want: "peer_not_authorized",
    },
    {
      name: "takes a rule for this machine by name",
      rules: [{ ...rule, destinations: [], destinationPeerId: anId("web1") }],
      want: "allow",
    },
    {
      name: "ignores a rule for another machine by name",
      rules: [{ ...rule, destinations: [], destinationPeerId: anId("web2") }],
      want: "peer_not_authorized",
    },
    {
      name: "reads netbird-ssh as qufabric-ssh",
      rules: [{ ...rule, protocol: "netbird-ssh" }],
      want: "allow",
    },
    {
      name: "opens no OS user by a tcp rule over 22",
      rules: [{ ...rule, protocol: "tcp", ports: [{ start: 22, end: 22 }], authorizedGroups: {} }],
      want: "peer_not_authorized",
    },
    {
      name: "opens no OS user by an all rule",
      rules: [{ ...rule, protocol: "all", authorizedGroups: {} }],
      want: "peer_not_authorized",
    },
    {
      name: "opens nothing here by an SSH rule for another port",
      rules: [{ ...rule, ports: [{ start: 2222, end: 2222 }] }],
      want: "peer_not_authorized",
    },
    {
      name: "maps no OS user by a disabled rule, a drop or a rule for another machine",
      rules: [
        rule,
        { ...dba, enabled: false },
        { ...dba, id: anId("drop"), action: "drop", authorizedGroups: { [anId("dbas")]: ["postgres"] } },
        { ...dba, id: anId("other"), destinations: [anId("laptops")] },
      ],
      request: { localUser: "postgres" },
      want: "local_user_unmapped",
    },
    {
      name: "denies an OS user listed for others only",
      rules: [rule, dba],
      request: { localUser: "postgres" },
      want: "local_user_not_authorized",
    },
    {
      name: "denies an OS user that the same rule lists for another group",
      rules: [{ ...rule, authorizedGroups: { [anId("devs")]: ["deploy"], [anId("dbas")]: ["postgres"] } }],
      request: { localUser: "postgres" },
      want: "local_user_not_authorized",
    },
    {
      name: "grants what the rule lists for any of the person's groups",
      rules: [{ ...rule, authorizedGroups: { [anId("devs")]: ["deploy"], [anId("dbas")]: ["postgres"] } }],
      user: aUser("alice", ["devs", "dbas"]),
      request: { localUser: "postgres" },
      want: "allow",
    },
    {
      name: "denies an OS user listed for nobody",
      rules: [rule, dba],
      request: { localUser: "www" },
      want: "local_user_unmapped",
    },
    {
      name: "compares OS users byte for byte",
      request: { localUser: "Deploy" },
      want: "local_user_unmapped",
    },
    { name: "never takes * for a name", request: { localUser: "*" }, want: "local_user_unmapped" },
    {
      name: "grants any OS user by [*]",
      rules: [aRule("any", ["devs"], ["*"])],
      request: { localUser: "www" },
      want: "allow",
    },
    {
      name: "grants any OS user by full access",
      rules: [aRule("full", ["devs"], "full")],
      request: { localUser: "www" },
      want: "allow",
    },
    {
      name: "keeps full access to the people of its own sources",
      rules: [aRule("full", ["admins"], "full"), rule],
      request: { localUser: "www" },
      want: "local_user_unmapped",
    },
    {
      name: "denies a device outside of sources",
      rules: [{ ...rule, sources: [anId("managed")] }],
      want: "device_not_authorized",
    },
    {
      name: "admits people by key on devices by source",
      rules: [{ ...rule, sources: [anId("managed")] }],
      device: { ...laptop, groups: [anId("managed")] },
      want: "allow",
    },
    {
      name: "counts a device as in its owner's groups only once approved",
      device: { ...laptop, ownerApproved: false },
      want: "device_not_authorized",
    },
    {
      name: "counts a device as in the groups of the machine that vouched",
      device: aPeer("laptop", [], { vouchedGroups: [anId("devs")] }),
      want: "allow",
    },
    {
      name: "wants source_devices by the device's own groups",
      rules: [{ ...rule, sourceDevices: [anId("devs")] }],
      want: "device_not_authorized",
    },
    {
      name: "wants source_devices by the device's own groups, not by lent ones",
      rules: [{ ...rule, sourceDevices: [anId("mdm")] }],
      device: { ...laptop, vouchedGroups: [anId("mdm")] },
      want: "device_not_authorized",
    },
    {
      name: "is met on source_devices by own groups",
      rules: [{ ...rule, sourceDevices: [anId("mdm")] }],
      device: { ...laptop, groups: [anId("mdm")] },
      want: "allow",
    },
    { name: "denies an unmanaged device", request: { devicePeerId: null }, want: "unmanaged_device" },
    {
      name: "admits an unmanaged device where the rule says so",
      rules: [{ ...rule, capabilities: { allow_unmanaged_devices: true } }],
      request: { devicePeerId: null },
      want: "allow",
    },
    {
      name: "admits what a named machine intercepted",
      rules: [brought],
      others: [bastion],
      request: { devicePeerId: null, interceptedBy: bastion.id },
      want: "allow",
    },
    {
      name: "denies what a blocked machine intercepted",
      rules: [brought],
      others: [{ ...bastion, status: "blocked" }],
      request: { devicePeerId: null, interceptedBy: bastion.id },
      want: "unmanaged_device",
    },
    {
      name: "denies what a person's own device says that it intercepted",
      rules: [brought],
      others: [{ ...bastion, kind: "device" }],
      request: { devicePeerId: null, interceptedBy: bastion.id },
      want: "unmanaged_device",
    },
    {
      name: "denies what a machine outside of the map intercepted",
      rules: [brought],
      request: { devicePeerId: null, interceptedBy: bastion.id },
      want: "unmanaged_device",
    },
    {
      name: "does not take the machine that intercepted for a device in the sources",
      rules: [rule],
      others: [{ ...bastion, groups: [anId("devs")] }],
      request: { devicePeerId: null, interceptedBy: bastion.id },
      want: "unmanaged_device",
    },
    {
      name: "wants the user in its group on an unmanaged device too",
      user: aUser("alice", ["ops"]),
      rules: [{ ...rule, capabilities: { allow_unmanaged_devices: true } }],
      request: { devicePeerId: null },
      want: "peer_not_authorized",
    },
    {
      name: "wants the posture checks",
      rules: [{ ...rule, postureChecks: [anId("patched")] }],
      want: "posture_failed",
    },
    {
      name: "is met on posture checks",
      rules: [{ ...rule, postureChecks: [anId("patched")] }],
      device: { ...laptop, posturePassed: [anId("patched")] },
      want: "allow",
    },
    {
      name: "wants every posture check of several",
      rules: [{ ...rule, postureChecks: [anId("patched"), anId("version")] }],
      device: { ...laptop, posturePassed: [anId("patched")] },
      want: "posture_failed",
    },
    {
      name: "wants posture of an unmanaged device, which has none",
      rules: [{ ...rule, postureChecks: [anId("patched")], capabilities: { allow_unmanaged_devices: true } }],
      request: { devicePeerId: null },
      want: "posture_failed",
    },
    {
      name: "admits the owner of a source peer in full",
      rules: [aRule("own", [], "full", { sourcePeerId: laptop.id })],
      want: "allow",
    },
    {
      name: "denies another person on a source peer",
      rules: [aRule("own", [], "full", { sourcePeerId: laptop.id })],
      device: { ...laptop, ownerUserId: anId("bob") },
      want: "peer_not_authorized",
    },
    {
      name: "denies the owner on another device",
      rules: [aRule("own", [], "full", { sourcePeerId: anId("desktop") })],
      want: "peer_not_authorized",
    },
    {
      name: "never combines the device of one rule with the user of another",
      rules: [
        { ...rule, sources: [anId("managed")] },
        aRule("b", ["dbas"], ["deploy"], { sources: [anId("devs")] }),
      ],
      want: "device_not_authorized",
    },
  ])("$name", (row) => expect(outcome(row)).toBe(row.want));
});

describe("decide on time and obligations", () => {
  const at = Date.UTC(2026, 10, 20, 12, 0, 0) / 1000; // A Friday at noon.
  const office = { windows: [{ days: ["fri" as const], from: "09:00", to: "17:00" }] };
  const reauth = { ...rule, capabilities: { reauth_within_seconds: 60 } };
  test.each<Row>([
    {
      name: "denies before valid_from",
      rules: [{ ...rule, validFromSeconds: 1_000_001 }],
      want: "outside_schedule",
    },
    { name: "grants at valid_from", rules: [{ ...rule, validFromSeconds: 1_000_000 }], want: "allow" },
    {
      name: "denies at valid_until",
      rules: [{ ...rule, validUntilSeconds: 1_000_000 }],
      want: "outside_schedule",
    },
    {
      name: "grants the second before valid_until",
      rules: [{ ...rule, validUntilSeconds: 1_000_001 }],
      want: "allow",
    },
    {
      name: "grants inside the schedule",
      rules: [{ ...rule, schedule: office }],
      request: { nowSeconds: at, authTimeSeconds: at },
      want: "allow",
    },
    {
      name: "denies at the end of the schedule",
      rules: [{ ...rule, schedule: office }],
      request: { nowSeconds: at + 5 * 3600 },
      want: "outside_schedule",
    },
    {
      name: "denies on another day of the schedule",
      rules: [{ ...rule, schedule: office }],
      request: { nowSeconds: at + 86_400 },
      want: "outside_schedule",
    },
    {
      name: "grants a recent sign-in",
      rules: [reauth],
      request: { authTimeSeconds: 999_941 },
      want: "allow",
    },
    {
      name: "denies a sign-in that is too old",
      rules: [reauth],
      request: { authTimeSeconds: 999_940 },
      want: "reauth_required",
    },
    {
      name: "denies where no sign-in time is proven",
      rules: [reauth],
      request: { authTimeSeconds: null },
      want: "reauth_unprovable",
    },
    {
      name: "applies the account's reauth to every grant",
      change: { settings: { ...settings, require: { ...settings.require, reauthWithinSeconds: 5 } } },
      want: "reauth_required",
    },
    {
      name: "wants a reason",
      rules: [{ ...rule, capabilities: { require_reason: true } }],
      want: "reason_required",
    },
    {
      name: "takes a reason",
      rules: [{ ...rule, capabilities: { require_reason: true } }],
      request: { reason: "INC-7" },
      want: "allow",
    },
    {
      name: "wants an approval",
      rules: [{ ...rule, capabilities: { require_approval: true } }],
      want: "approval_required",
    },
    {
      name: "denies the account's required recording that cannot be made",
      change: { settings: { ...settings, require: { ...settings.require, record: "required" } } },
      request: { flags: { ...allFlags, recording: false } },
      want: "recording_unavailable",
    },
    {
      name: "wants the account's approval of every grant",
      change: { settings: { ...settings, require: { ...settings.require, approval: true } } },
      want: "approval_required",
    },
    {
      name: "wants the account's reason of every grant",
      change: { settings: { ...settings, require: { ...settings.require, reason: true } } },
      want: "reason_required",
    },
    {
      name: "denies a required recording that cannot be made",
      rules: [{ ...rule, capabilities: { record: "required" } }],
      request: { flags: { ...allFlags, recording: false } },
      want: "recording_unavailable",
    },
    ...(["local_forward", "remote_forward"] as const).map((kind) => ({
      name: `denies a ${kind} where everything must be recorded`,
      rules: [{ ...rule, capabilities: { record: "required" as const, remote_forward: ["*:*"] } }],
      request: { action: { kind, host: "127.0.0.1", port: 80 } },
      want: "not_recordable" as const,
    })),
    {
      name: "denies the client's agent where everything must be recorded",
      rules: [{ ...rule, capabilities: { record: "required" as const, agent_forwarding: true } }],
      request: { action: { kind: "agent_forwarding" as const } },
      want: "not_recordable" as const,
    },
    ...(["shell", "pty", "sftp", "connect"] as const).map((kind) => ({
      name: `allows a ${kind} where everything must be recorded`,
      rules: [{ ...rule, capabilities: { record: "required" as const } }],
      request: { action: { kind } },
      want: "allow" as const,
    })),
    {
      name: "allows a forward where a recording is wanted and not required",
      rules: [{ ...rule, capabilities: { record: "best_effort" as const } }],
      request: { action: { kind: "local_forward" as const, host: "127.0.0.1", port: 80 } },
      want: "allow" as const,
    },
    {
      name: "lets the looser of two rules win",
      rules: [reauth, aRule("loose", ["devs"], ["deploy"])],
      request: { authTimeSeconds: null },
      want: "allow" as const,
    },
  ])("$name", (row) => expect(outcome(row)).toBe(row.want));

  test("a grant says when it must be asked again", () => {
    const bounded = { ...reauth, validUntilSeconds: 1_000_030 };
    const decision = decide(
      aRequest(),
      prepareSnapshot(aMap({ users: [alice], peers: [laptop], rules: [bounded] })),
    );
    expect(decision.kind === "allow" && decision.grant.validUntilSeconds).toBe(1_000_030);
  });

  const grantBy = (rules: readonly MapRule[], require: Partial<NetworkMap["settings"]["require"]> = {}) => {
    const change = { settings: { ...settings, require: { ...settings.require, ...require } } };
    const map = aMap({ users: [alice], peers: [laptop], rules, change });
    const decision = decide(aRequest(), prepareSnapshot(map));
    return decision.kind === "allow" ? decision.grant : null;
  };

  test("a grant lasts as long as its sign-in counts", () => {
    expect(grantBy([reauth])?.validUntilSeconds).toBe(999_990 + 60);
    expect(grantBy([rule], { reauthWithinSeconds: 30 })?.validUntilSeconds).toBe(999_990 + 30);
    expect(grantBy([rule])?.validUntilSeconds).toBeNull();
  });

  test("a grant says what the account records, where its rule asks less", () => {
    expect(grantBy([rule], { record: "required" })?.capabilities.record).toBe("required");
    const strict = { ...rule, capabilities: { record: "required" as const } };
    expect(grantBy([strict], { record: "best_effort" })?.capabilities.record).toBe("required");
  });

  test("of several grants the one that asks least counts, whatever its id", () => {
    const ids = [anId("a"), anId("b")].toSorted();
    const asks = { record: "best_effort" as const, reauth_within_seconds: 60 };
    for (const [loose, strict] of [ids, ids.toReversed()]) {
      const rules = [
        { ...rule, id: loose ?? "" },
        { ...rule, id: strict ?? "", capabilities: asks },
      ];
      expect(grantBy(rules)?.ruleId).toBe(loose ?? "");
    }
  });

  test("of grants that ask the same, that of the lowest rule id counts", () => {
    const ids = [anId("a"), anId("b"), anId("c")];
    const rules = ids.map((id) => ({ ...rule, id }));
    expect(grantBy(rules.toReversed())?.ruleId).toBe(ids.toSorted()[0] ?? "");
  });
});

describe("decide on drops", () => {
  const unmanaged = { ...rule, capabilities: { allow_unmanaged_devices: true } };
  const drop = (change: Partial<MapRule>): MapRule =>
    aRule("drop", [], "full", { action: "drop", ...change });
  const back = (change: Partial<MapRule>): MapRule =>
    drop({ protocol: "tcp", sources: [anId("servers")], ...change });
  test.each<Row>([
    {
      name: "lets a drop on the user's group win",
      rules: [rule, drop({ sources: [anId("devs")] })],
      want: "denied_by_rule",
    },
    {
      name: "lets a drop on the user's key win",
      rules: [rule, drop({ authorizedGroups: { [anId("devs")]: ["deploy"] } })],
      want: "denied_by_rule",
    },
    {
      name: "lets a drop on the device win",
      rules: [rule, drop({ sources: [anId("byod")] })],
      device: { ...laptop, groups: [anId("byod")] },
      want: "denied_by_rule",
    },
    {
      name: "lets a drop on the device by name win",
      rules: [rule, drop({ sourcePeerId: laptop.id })],
      want: "denied_by_rule",
    },
    {
      name: "narrows a drop by the local users it lists",
      rules: [rule, drop({ sources: [anId("devs")], authorizedGroups: { [anId("devs")]: ["root"] } })],
      want: "allow",
    },
    {
      name: "lets a tcp drop on 22 stop SSH",
      rules: [rule, drop({ protocol: "tcp", ports: [{ start: 20, end: 30 }], sources: [anId("devs")] })],
      want: "denied_by_rule",
    },
    {
      name: "lets the way back of a bidirectional tcp drop stop the device's SSH",
      rules: [rule, back({ bidirectional: true, destinations: [anId("byod")] })],
      device: { ...laptop, groups: [anId("byod")] },
      want: "denied_by_rule",
    },
    {
      name: "leaves SSH alone by the way back of a drop of one direction",
      rules: [rule, back({ destinations: [anId("byod")] })],
      device: { ...laptop, groups: [anId("byod")] },
      want: "allow",
    },
    {
      name: "leaves SSH alone by the way back of a drop that has the user's group, not the device's",
      rules: [rule, back({ bidirectional: true, destinations: [anId("devs")] })],
      device: { ...laptop, groups: [anId("byod")] },
      want: "allow",
    },
    {
      name: "leaves SSH alone by a tcp drop on 80",
      rules: [rule, drop({ protocol: "tcp", ports: [{ start: 80, end: 80 }], sources: [anId("devs")] })],
      want: "allow",
    },
    {
      name: "leaves SSH alone by a udp drop",
      rules: [rule, drop({ protocol: "udp", sources: [anId("devs")] })],
      want: "allow",
    },
    {
      name: "does nothing with a disabled drop",
      rules: [rule, drop({ sources: [anId("devs")], enabled: false })],
      want: "allow",
    },
    { name: "leaves others alone", rules: [rule, drop({ sources: [anId("ops")] })], want: "allow" },
    {
      name: "leaves people of this machine alone by a drop for another",
      rules: [rule, drop({ sources: [anId("devs")], destinations: [anId("laptops")] })],
      want: "allow",
    },
    {
      name: "leaves people of this machine alone by a drop for another by name",
      rules: [rule, drop({ sources: [anId("devs")], destinations: [], destinationPeerId: anId("web2") })],
      want: "allow",
    },
    {
      name: "holds a drop to its schedule",
      rules: [rule, drop({ sources: [anId("devs")], schedule: { windows: [] } })],
      want: "allow",
    },
    {
      name: "stops people by their group on a device that is not in it",
      rules: [unmanaged, drop({ sources: [anId("devs")] })],
      request: { devicePeerId: null },
      want: "denied_by_rule",
    },
    {
      name: "stops the owner of a dropped peer on another device",
      rules: [rule, drop({ sourcePeerId: anId("desktop") })],
      others: [aPeer("desktop", [], { ownerUserId: alice.id })],
      want: "denied_by_rule",
    },
    {
      name: "leaves others on another device alone by a drop of a peer",
      rules: [rule, drop({ sourcePeerId: anId("desktop") })],
      others: [aPeer("desktop", [], { ownerUserId: anId("bob") })],
      want: "allow",
    },
    {
      name: "stops people by their key group on a device that is not in it",
      rules: [unmanaged, drop({ authorizedGroups: { [anId("devs")]: ["deploy"] } })],
      request: { devicePeerId: null },
      want: "denied_by_rule",
    },
    {
      name: "stops a device in the key group",
      rules: [rule, drop({ authorizedGroups: { [anId("byod")]: ["deploy"] } })],
      device: { ...laptop, groups: [anId("byod")] },
      want: "denied_by_rule",
    },
    {
      name: "stops a device in the key group by the OS users listed there only",
      rules: [rule, drop({ authorizedGroups: { [anId("byod")]: ["root"] } })],
      device: { ...laptop, groups: [anId("byod")] },
      want: "allow",
    },
    {
      name: "narrows a drop by source_devices",
      rules: [rule, drop({ sources: [anId("devs")], sourceDevices: [anId("byod")] })],
      want: "allow",
    },
    {
      name: "stops a device inside of source_devices",
      rules: [rule, drop({ sources: [anId("devs")], sourceDevices: [anId("byod")] })],
      device: { ...laptop, groups: [anId("byod")] },
      want: "denied_by_rule",
    },
    {
      name: "counts an unmanaged device as inside of source_devices",
      rules: [unmanaged, drop({ sources: [anId("devs")], sourceDevices: [anId("byod")] })],
      request: { devicePeerId: null },
      want: "denied_by_rule",
    },
    {
      name: "holds a drop to its time",
      rules: [rule, drop({ sources: [anId("devs")], validUntilSeconds: 1_000_000 })],
      want: "allow",
    },
  ])("$name", (row) => expect(outcome(row)).toBe(row.want));
});

describe("decide on the machine", () => {
  const full = aRule("full", ["devs"], "full");
  test.each<Row>([
    {
      name: "denies root without the flag",
      rules: [full],
      request: { localUser: "root", flags: { ...allFlags, sshRoot: false } },
      want: "root_disabled",
    },
    { name: "grants root with the flag", rules: [full], request: { localUser: "root" }, want: "allow" },
    {
      name: "judges uid 0 under another name",
      rules: [full],
      request: { localUser: "toor", localUid: 0, flags: { ...allFlags, sshRoot: false } },
      want: "root_disabled",
    },
    {
      name: "judges the name root with another uid by the uid",
      rules: [full],
      request: { localUser: "root", localUid: 1000, flags: { ...allFlags, sshRoot: false } },
      want: "allow",
    },
    {
      name: "says the rules' reason before the machine's",
      request: { localUser: "root", flags: { ...allFlags, sshRoot: false } },
      want: "local_user_unmapped",
    },
    {
      name: "serves the agent's own user without root",
      request: { flags: { ...allFlags, privileged: false, ownUser: "deploy" } },
      want: "allow",
    },
    {
      name: "serves nobody else without root",
      request: { flags: { ...allFlags, privileged: false, ownUser: "web" } },
      want: "rootless_other_user",
    },
  ])("$name", (row) => expect(outcome(row)).toBe(row.want));
});

describe("decide on actions", () => {
  const only = { ...rule, capabilities: { commands: ["/usr/bin/uptime", "/bin/echo hi"] } };
  const forwards = {
    ...rule,
    capabilities: { local_forward: ["db.internal:5432", "*:443"], remote_forward: ["127.0.0.1:*"] },
  };
  const noFlag = (name: keyof typeof allFlags) => ({ ...allFlags, [name]: false });
  test.each<Row>([
    { name: "allows a shell", request: { action: { kind: "shell" } }, want: "allow" },
    {
      name: "refuses a shell where commands are listed",
      rules: [only],
      request: { action: { kind: "shell" } },
      want: "shell_not_allowed",
    },
    {
      name: "allows a listed command",
      rules: [only],
      request: { action: { kind: "exec", command: "/bin/echo hi" } },
      want: "allow",
    },
    {
      name: "refuses a listed command with more behind it",
      rules: [only],
      request: { action: { kind: "exec", command: "/bin/echo hi;id" } },
      want: "command_not_allowed",
    },
    {
      name: "turns sftp off where commands are listed",
      rules: [only],
      request: { action: { kind: "sftp" } },
      want: "sftp_disabled",
    },
    {
      name: "turns forwards off where commands are listed",
      rules: [only],
      request: { action: { kind: "local_forward", host: "a", port: 1 } },
      want: "local_forward_disabled",
    },
    {
      name: "turns agent forwarding off where commands are listed",
      rules: [only],
      request: { action: { kind: "agent_forwarding" } },
      want: "agent_forwarding_disabled",
    },
    {
      name: "refuses agent forwarding by a rule that does not speak of it",
      request: { action: { kind: "agent_forwarding" } },
      want: "agent_forwarding_disabled",
    },
    {
      name: "refuses agent forwarding by a rule that says no",
      rules: [{ ...rule, capabilities: { agent_forwarding: false } }],
      request: { action: { kind: "agent_forwarding" } },
      want: "agent_forwarding_disabled",
    },
    {
      name: "allows agent forwarding by a rule that says yes",
      rules: [{ ...rule, capabilities: { agent_forwarding: true } }],
      request: { action: { kind: "agent_forwarding" } },
      want: "allow",
    },
    {
      name: "allows agent forwarding beside listed commands where the rule says yes",
      rules: [{ ...rule, capabilities: { commands: ["/bin/true"], agent_forwarding: true } }],
      request: { action: { kind: "agent_forwarding" } },
      want: "allow",
    },
    {
      name: "refuses X11 forwarding, which nobody grants",
      request: { action: { kind: "x11_forwarding" } },
      want: "x11_not_available",
    },
    {
      name: "refuses a terminal by the rule",
      rules: [{ ...rule, capabilities: { pty: false } }],
      request: { action: { kind: "pty" } },
      want: "pty_not_allowed",
    },
    { name: "allows sftp by flag and rule", request: { action: { kind: "sftp" } }, want: "allow" },
    {
      name: "refuses sftp without the flag",
      request: { action: { kind: "sftp" }, flags: noFlag("sshSftp") },
      want: "sftp_disabled",
    },
    {
      name: "refuses sftp by the rule",
      rules: [{ ...rule, capabilities: { sftp: "off" } }],
      request: { action: { kind: "sftp" } },
      want: "sftp_disabled",
    },
    {
      name: "refuses scp where sftp is off",
      rules: [{ ...rule, capabilities: { sftp: "off" } }],
      request: { action: { kind: "exec", command: "/usr/bin/scp -t /tmp" } },
      want: "sftp_disabled",
    },
    {
      name: "refuses rsync where sftp is off",
      rules: [{ ...rule, capabilities: { sftp: "off" } }],
      request: { action: { kind: "exec", command: "rsync --server . /tmp" } },
      want: "sftp_disabled",
    },
    {
      name: "refuses an upload where sftp is read-only",
      rules: [{ ...rule, capabilities: { sftp: "read" } }],
      request: { action: { kind: "exec", command: "scp -t /tmp" } },
      want: "sftp_read_only",
    },
    {
      name: "allows a download where sftp is read-only",
      rules: [{ ...rule, capabilities: { sftp: "read" } }],
      request: { action: { kind: "exec", command: "scp -f /tmp/a" } },
      want: "allow",
    },
    {
      name: "refuses -L without the flag",
      request: {
        action: { kind: "local_forward", host: "db", port: 1 },
        flags: noFlag("sshLocalForwarding"),
      },
      want: "local_forward_disabled",
    },
    {
      name: "allows a listed destination",
      rules: [forwards],
      request: { action: { kind: "local_forward", host: "db.internal", port: 5432 } },
      want: "allow",
    },
    {
      name: "refuses another port of a listed host",
      rules: [forwards],
      request: { action: { kind: "local_forward", host: "db.internal", port: 22 } },
      want: "forward_destination_not_allowed",
    },
    {
      name: "refuses cloud metadata by default",
      request: { action: { kind: "local_forward", host: "169.254.169.254", port: 80 } },
      want: "forward_destination_not_allowed",
    },
    {
      name: "refuses cloud metadata through a wildcard",
      rules: [forwards],
      request: { action: { kind: "local_forward", host: "169.254.169.254", port: 443 } },
      want: "forward_destination_not_allowed",
    },
    {
      name: "binds -R to loopback by default",
      request: { action: { kind: "remote_forward", host: "localhost", port: 0 } },
      want: "allow",
    },
    {
      name: "refuses -R on all addresses by default",
      request: { action: { kind: "remote_forward", host: "", port: 8080 } },
      want: "forward_destination_not_allowed",
    },
    {
      name: "refuses -R without the flag",
      request: {
        action: { kind: "remote_forward", host: "localhost", port: 1 },
        flags: noFlag("sshRemoteForwarding"),
      },
      want: "remote_forward_disabled",
    },
    {
      name: "never assembles capabilities from two rules",
      rules: [
        { ...only, id: anId("one") },
        { ...rule, capabilities: { sftp: "off" } },
      ],
      request: { action: { kind: "sftp" } },
      want: "sftp_disabled",
    },
  ])("$name", (row) => expect(outcome(row)).toBe(row.want));
});

describe("decidePeer", () => {
  const tcp = aRule("tcp", ["peers"], "full", { protocol: "tcp", ports: [{ start: 22, end: 22 }] });
  const all = aRule("all", ["peers"], "full", { protocol: "all" });
  const peer = aPeer("laptop", ["peers"]);
  interface PeerRow {
    readonly name: string;
    readonly rules: readonly MapRule[];
    readonly request?: Partial<PeerAccessRequest>;
    /** What the account requires of every grant. Absent: nothing. */
    readonly require?: Partial<MapSettings["require"]>;
    readonly peer?: Partial<MapPeer>;
    readonly self?: Partial<NetworkMap["self"]>;
    readonly want: ReasonCode | "allow";
  }
  const unrecorded = { flags: { ...allFlags, recording: false } };
  test.each<PeerRow>([
    { name: "grants by a tcp rule over 22", rules: [tcp], want: "allow" },
    { name: "grants by an all rule", rules: [all], want: "allow" },
    {
      name: "opens nothing by an SSH rule",
      rules: [aRule("ssh", ["peers"], "full")],
      want: "peer_not_authorized",
    },
    {
      name: "opens nothing by a tcp rule over 80",
      rules: [{ ...tcp, ports: [{ start: 80, end: 80 }] }],
      want: "peer_not_authorized",
    },
    {
      name: "denies a peer outside of sources",
      rules: [{ ...tcp, sources: [anId("others")] }],
      want: "device_not_authorized",
    },
    {
      name: "narrows to machine_local_users",
      rules: [{ ...tcp, machineLocalUsers: ["backup"] }],
      want: "root_not_named",
    },
    {
      name: "grants a named machine local user",
      rules: [{ ...all, machineLocalUsers: ["deploy"] }],
      want: "allow",
    },
    {
      name: "denies uid 0 by an all rule that names nobody",
      rules: [all],
      request: { localUser: "root", localUid: 0 },
      want: "root_not_named",
    },
    {
      name: "grants uid 0 by a rule that names 22",
      rules: [tcp],
      request: { localUser: "root", localUid: 0 },
      want: "allow",
    },
    {
      name: "grants uid 0 by a rule that names the user",
      rules: [{ ...all, machineLocalUsers: ["root"] }],
      request: { localUser: "root", localUid: 0 },
      want: "allow",
    },
    {
      name: "denies uid 0 without the flag",
      rules: [tcp],
      request: { localUser: "root", localUid: 0, flags: { ...allFlags, sshRoot: false } },
      want: "root_disabled",
    },
    {
      name: "grants by the way back of a bidirectional tcp rule",
      rules: [{ ...tcp, bidirectional: true, sources: [anId("servers")], destinations: [anId("peers")] }],
      want: "allow",
    },
    {
      name: "opens nothing by the way back of a rule of one direction",
      rules: [{ ...tcp, sources: [anId("servers")], destinations: [anId("peers")] }],
      want: "peer_not_authorized",
    },
    { name: "denies a blocked peer", rules: [tcp], peer: { status: "blocked" }, want: "device_blocked" },
    { name: "denies a pending peer", rules: [tcp], peer: { status: "pending" }, want: "device_pending" },
    { name: "denies a stranger", rules: [tcp], peer: { id: anId("desktop") }, want: "device_unknown" },
    {
      name: "denies when SSH is off for the peer",
      rules: [tcp],
      self: { sshEnabled: false },
      want: "ssh_disabled",
    },
    {
      name: "denies when the machine runs no SSH server",
      rules: [tcp],
      request: { flags: { ...allFlags, sshServer: false } },
      want: "ssh_disabled",
    },
    {
      name: "does nothing with a disabled rule",
      rules: [{ ...tcp, enabled: false }],
      want: "peer_not_authorized",
    },
    {
      name: "ignores a rule for another machine",
      rules: [{ ...tcp, destinations: [anId("laptops")] }],
      want: "peer_not_authorized",
    },
    {
      name: "denies a peer outside of source_devices",
      rules: [{ ...tcp, sourceDevices: [anId("mdm")] }],
      want: "device_not_authorized",
    },
    {
      name: "admits a peer inside of source_devices",
      rules: [{ ...tcp, sourceDevices: [anId("mdm")] }],
      peer: { groups: [anId("peers"), anId("mdm")] },
      want: "allow",
    },
    {
      name: "wants the posture checks",
      rules: [{ ...tcp, postureChecks: [anId("patched")] }],
      want: "posture_failed",
    },
    {
      name: "is met on posture checks",
      rules: [{ ...tcp, postureChecks: [anId("patched")] }],
      peer: { posturePassed: [anId("patched")] },
      want: "allow",
    },
    {
      name: "denies by an expired rule",
      rules: [{ ...tcp, validUntilSeconds: 1_000_000 }],
      want: "outside_schedule",
    },
    {
      name: "denies outside of the schedule",
      rules: [{ ...tcp, schedule: { windows: [] } }],
      want: "outside_schedule",
    },
    {
      name: "leaves a peer alone by an expired drop",
      rules: [tcp, { ...all, id: anId("no"), action: "drop", validUntilSeconds: 1_000_000 }],
      want: "allow",
    },
    {
      name: "lets a drop of people's SSH for the same OS user win",
      rules: [tcp, aRule("no", ["peers"], ["deploy"], { action: "drop" })],
      want: "denied_by_rule",
    },
    {
      name: "leaves a peer alone by a drop of people's SSH for another OS user",
      rules: [tcp, aRule("no", ["peers"], ["web"], { action: "drop" })],
      want: "allow",
    },
    {
      name: "lets a drop win",
      rules: [tcp, { ...all, id: anId("no"), action: "drop" }],
      want: "denied_by_rule",
    },
    {
      name: "denies where the account requires a reason, which no peer gives",
      rules: [tcp],
      require: { reason: true },
      want: "reason_required",
    },
    {
      name: "denies where the account requires an approval",
      rules: [all],
      require: { approval: true },
      want: "approval_required",
    },
    {
      name: "denies where the account requires a recent sign-in, which a peer has none of",
      rules: [tcp],
      require: { reauthWithinSeconds: 86_400 },
      want: "reauth_unprovable",
    },
    {
      name: "denies where the account requires a recording that cannot be made",
      rules: [tcp],
      require: { record: "required" },
      request: unrecorded,
      want: "recording_unavailable",
    },
    {
      name: "grants where the required recording can be made",
      rules: [tcp],
      require: { record: "required" },
      want: "allow",
    },
    {
      name: "grants where a recording is wanted but not required",
      rules: [tcp],
      require: { record: "best_effort" },
      request: unrecorded,
      want: "allow",
    },
    {
      name: "denies by what its own rule requires as well",
      rules: [{ ...tcp, capabilities: { require_approval: true } }],
      want: "approval_required",
    },
    {
      name: "denies uid 0 that a rule names where the account requires a reason",
      rules: [{ ...all, machineLocalUsers: ["root"] }],
      require: { reason: true },
      request: { localUser: "root", localUid: 0 },
      want: "reason_required",
    },
    {
      name: "denies by the way back of a rule where the account requires an approval",
      rules: [{ ...tcp, bidirectional: true, sources: [anId("servers")], destinations: [anId("peers")] }],
      require: { approval: true },
      want: "approval_required",
    },
    {
      name: "refuses agent forwarding, which no tcp rule speaks of",
      rules: [tcp],
      request: { action: { kind: "agent_forwarding" } },
      want: "agent_forwarding_disabled",
    },
  ])("$name", ({ rules, request, require, peer: changed, self, want }) => {
    const change = {
      self: { ...aMap({}).self, ...self },
      settings: { ...settings, require: { ...settings.require, ...require } },
    };
    const snapshot = prepareSnapshot(aMap({ peers: [{ ...peer, ...changed }], rules, change }));
    const decision = decidePeer(aPeerRequest(request), snapshot);
    expect(decision.kind === "deny" ? decision.reason : "allow").toBe(want);
  });
});

test("every denial by rules names the first failed condition of every rule", () => {
  const rules = [
    { ...rule, id: anId("a"), enabled: false },
    { ...rule, id: anId("b"), sources: [anId("managed")] },
    aRule("c", ["devs"], ["web"]),
    aRule("d", ["ops"], ["deploy"]),
  ];
  const record = recordOf(
    decide(aRequest(), prepareSnapshot(aMap({ users: [alice], peers: [laptop], rules }))),
  );
  const outcomes = Object.fromEntries(record.trace.map((entry) => [entry.ruleId, entry.outcome]));
  expect(outcomes).toEqual({
    [anId("a")]: "disabled",
    [anId("b")]: "device_not_in_sources",
    [anId("c")]: "local_user_not_listed",
    [anId("d")]: "user_not_in_groups",
  });
  expect(record.reason).toBe("local_user_not_authorized");
});

test("every reason code has a sentence and a hint", () => {
  for (const reason of REASON_CODES) {
    const { sentence, hint } = sentenceOf(reason);
    expect(sentence).toMatch(/^[A-Za-z].*[^.]$/);
    expect(hint.length).toBeGreaterThan(5);
  }
});
