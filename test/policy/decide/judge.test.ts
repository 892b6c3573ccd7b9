/** One rule judged alone: a grant, and what is one step from it with the outcome that names the step. */
import { describe, expect, test } from "bun:test";
import { judgeForPeer, judgeForUser } from "../../../src/policy/decide/judge.ts";
import { outcomeName } from "../../../src/policy/decide/outcomes.ts";
import type { AccessRequest, PeerAccessRequest } from "../../../src/policy/decide/request.ts";
import {
  localUserNumber,
  markDevice,
  markOwn,
  markUser,
  prepareSnapshot,
} from "../../../src/policy/decide/snapshot.ts";
import type { MapPeer, MapRule } from "../../../src/wire/network-map.ts";
import { allFlags, aMap, anId, aPeer, aPeerRequest, aRequest, aRule, aUser } from "../../support/policy.ts";

const NOW_SECONDS = 1_000_000;
const port = (start: number) => ({ start, end: start });

interface Case {
  readonly title: string;
  readonly outcome: string;
  readonly rule?: Partial<MapRule>;
  readonly request?: Partial<AccessRequest>;
  readonly groups?: readonly string[];
  readonly device?: Partial<MapPeer> | null;
  /** Own groups of the machine whose agent intercepted the connection. Absent: none did. */
  readonly interceptor?: readonly string[];
}

/** Alice of `devs` on her laptop, also of `devs`, asks for `deploy`; each part as `change` has it. */
function judgedForUser(change: Case): string {
  const { rule = {}, request = {}, groups = ["devs"], device = {}, interceptor } = change;
  const alice = aUser("alice", groups);
  const laptop = device === null ? null : aPeer("laptop", ["devs"], device);
  const map = aMap({
    users: [alice],
    peers: laptop === null ? [] : [laptop],
    rules: [aRule("r", ["devs"], ["deploy"], rule)],
  });
  const snapshot = prepareSnapshot(map);
  const [prepared] = snapshot.rules;
  if (prepared === undefined) throw new Error("the map has no rule");
  const asked = aRequest(request);
  const outcome = judgeForUser(prepared, {
    request: asked,
    snapshot,
    localUser: localUserNumber(snapshot, asked.localUser),
    user: alice,
    userMarks: markUser(snapshot, alice, NOW_SECONDS),
    device: laptop,
    deviceMarks: laptop && markDevice(snapshot, laptop, NOW_SECONDS),
    ownMarks: laptop && markOwn(snapshot, laptop),
    interceptorMarks: interceptor === undefined ? null : markOwn(snapshot, aPeer("bastion", interceptor)),
  });
  return outcomeName(outcome);
}

describe("a rule, for a person", () => {
  const cases: readonly Case[] = [
    { title: "whom it names", outcome: "granted" },
    { title: "when it is off", outcome: "disabled", rule: { enabled: false } },
    { title: "of another protocol", outcome: "other_protocol", rule: { protocol: "udp", ports: [port(53)] } },
    { title: "for other machines", outcome: "not_destination", rule: { destinations: [anId("others")] } },
    { title: "outside of its groups", outcome: "user_not_in_groups", groups: ["guests"] },
    { title: "without a device of ours", outcome: "unmanaged_device", device: null },
    {
      title: "without a device of ours, where it takes such",
      outcome: "granted",
      device: null,
      rule: { capabilities: { allow_unmanaged_devices: true } },
    },
    {
      title: "by a machine that may bring other programs",
      outcome: "granted",
      device: null,
      rule: { allowIntercepted: [anId("bastions")] },
      interceptor: ["bastions"],
    },
    {
      title: "by a machine that may not",
      outcome: "unmanaged_device",
      device: null,
      rule: { allowIntercepted: [anId("bastions")] },
      interceptor: ["devs"],
    },
    {
      title: "by such a machine, where it takes none",
      outcome: "unmanaged_device",
      device: null,
      interceptor: ["bastions"],
    },
    {
      title: "by no machine, where some may bring programs",
      outcome: "unmanaged_device",
      device: null,
      rule: { allowIntercepted: [anId("bastions")] },
    },
    {
      title: "by such a machine without a posture that it needs",
      outcome: "posture_failed",
      device: null,
      rule: { allowIntercepted: [anId("bastions")], postureChecks: [anId("disk")] },
      interceptor: ["bastions"],
    },
    {
      title: "on a device outside of its source devices",
      outcome: "device_not_in_source_devices",
      rule: { sourceDevices: [anId("managed")] },
    },
    {
      title: "on a browser, where it says nothing of them",
      outcome: "granted",
      device: { isBrowser: true },
    },
    {
      title: "on a browser, where it takes none",
      outcome: "browser_not_allowed",
      device: { isBrowser: true },
      rule: { capabilities: { allow_browsers: false } },
    },
    {
      title: "on another device, where it takes no browsers",
      outcome: "granted",
      rule: { capabilities: { allow_browsers: false } },
    },
    {
      title: "on a browser, where it says that it takes them",
      outcome: "granted",
      device: { isBrowser: true },
      rule: { capabilities: { allow_browsers: true } },
    },
    { title: "as another local user", outcome: "local_user_not_listed", request: { localUser: "root" } },
    { title: "without its posture", outcome: "posture_failed", rule: { postureChecks: [anId("disk")] } },
    { title: "before its time", outcome: "outside_validity", rule: { validFromSeconds: NOW_SECONDS + 1 } },
    { title: "at its first second", outcome: "granted", rule: { validFromSeconds: NOW_SECONDS } },
    { title: "after its time", outcome: "outside_validity", rule: { validUntilSeconds: NOW_SECONDS } },
    {
      title: "without a reason",
      outcome: "reason_required",
      rule: { capabilities: { require_reason: true } },
    },
    {
      title: "with a reason",
      outcome: "granted",
      rule: { capabilities: { require_reason: true } },
      request: { reason: "a repair" },
    },
    {
      title: "that drops them",
      outcome: "dropped",
      rule: { action: "drop", validFromSeconds: NOW_SECONDS },
    },
    {
      title: "that drops them later",
      outcome: "drop_not_matching",
      rule: { action: "drop", validFromSeconds: NOW_SECONDS + 1 },
    },
    {
      title: "that drops another local user",
      outcome: "drop_not_matching",
      rule: { action: "drop" },
      request: { localUser: "root" },
    },
  ];
  test.each(cases)("$title: $outcome", (row) => {
    expect(judgedForUser(row)).toBe(row.outcome);
  });
});

function judgedForPeer(rule: Partial<MapRule>, request: Partial<PeerAccessRequest> = {}): string {
  const laptop = aPeer("laptop", ["devs"]);
  const tcp: Partial<MapRule> = { protocol: "tcp", ports: [port(22)] };
  const rules = [aRule("r", ["devs"], "full", { ...tcp, ...rule })];
  const snapshot = prepareSnapshot(aMap({ peers: [laptop], rules }));
  const [prepared] = snapshot.rules;
  if (prepared === undefined) throw new Error("the map has no rule");
  const asked = aPeerRequest({ flags: allFlags, ...request });
  const outcome = judgeForPeer(prepared, {
    request: asked,
    snapshot,
    localUser: localUserNumber(snapshot, asked.localUser),
    peer: laptop,
    marks: markDevice(snapshot, laptop, NOW_SECONDS),
    own: markOwn(snapshot, laptop),
  });
  return outcomeName(outcome);
}

describe("a rule, for a peer by itself", () => {
  test.each([
    ["tcp over 22", {}, {}, "granted"],
    ["ssh, which is for people", { protocol: "qufabric-ssh", ports: [] }, {}, "other_protocol"],
    ["over other ports", { ports: [port(443)] }, {}, "other_protocol"],
    ["of other peers", { sources: [anId("guests")] }, {}, "device_not_in_sources"],
    ["of root, by a port that is named", {}, { localUser: "root", localUid: 0 }, "granted"],
    ["of root, by every port", { ports: [] }, { localUser: "root", localUid: 0 }, "local_user_not_listed"],
    ["of others, by every port", { ports: [] }, { localUid: 1_000 }, "granted"],
    ["with a reason, which it has not", { capabilities: { require_reason: true } }, {}, "reason_required"],
  ] as const)("%s", (_title, rule, request, outcome) => {
    expect(judgedForPeer(rule as Partial<MapRule>, request)).toBe(outcome);
  });
});
