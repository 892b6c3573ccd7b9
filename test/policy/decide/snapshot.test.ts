import { expect, test } from "bun:test";
import {
  coversPort,
  findPeer,
  findUser,
  groupsAt,
  isMutual,
  lists,
  localUserNumber,
  markDevice,
  markOwn,
  markUser,
  meets,
  nextGroupEnd,
  prepareSnapshot,
  UNLISTED_LOCAL_USER,
} from "../../../src/policy/decide/snapshot.ts";
import type { MapRule, NetworkMap } from "../../../src/wire/network-map.ts";
import { aMap, anId, aPeer, aRule, aUser } from "../../support/policy.ts";

const rule = (protocol: MapRule["protocol"], ports: MapRule["ports"] = []) => ({ protocol, ports });

test.each<[string, ReturnType<typeof rule>, number, boolean]>([
  ["an SSH rule without ports", rule("qufabric-ssh"), 22, true],
  ["an SSH rule without ports", rule("netbird-ssh"), 22_022, true],
  ["an SSH rule without ports", rule("qufabric-ssh"), 80, false],
  ["a tcp rule without ports", rule("tcp"), 80, true],
  ["a tcp rule of 22", rule("tcp", [{ start: 22, end: 22 }]), 22_022, true],
  ["a tcp rule of 22022", rule("tcp", [{ start: 22_022, end: 22_022 }]), 22, false],
  ["a range around 22", rule("tcp", [{ start: 20, end: 30 }]), 22, true],
  ["a range below 22", rule("tcp", [{ start: 1, end: 21 }]), 22, false],
  ["a rule of all", rule("all"), 22, true],
  ["a udp rule", rule("udp"), 22, false],
  ["an icmp rule", rule("icmp"), 22, false],
])("%s covers port by number: %j %d is %p", (_, one, port, wanted) => {
  expect(coversPort(one, port)).toBe(wanted);
});

test("only a rule of another protocol than SSH holds both ways", () => {
  expect(isMutual({ protocol: "tcp", bidirectional: true })).toBe(true);
  expect(isMutual({ protocol: "tcp", bidirectional: false })).toBe(false);
  expect(isMutual({ protocol: "netbird-ssh", bidirectional: true })).toBe(false);
});

const ann = aUser("ann", ["devs"]);
const laptop = aPeer("laptop", ["laptops"], {
  ownerUserId: ann.id,
  ownerApproved: true,
  vouchedGroups: [anId("lent")],
});
const map: NetworkMap = aMap({
  users: [ann],
  peers: [laptop],
  rules: [
    aRule("b", ["devs"], ["deploy"]),
    aRule("a", ["laptops", "lent"], ["*"]),
    aRule("off", ["devs"], ["mail"], { enabled: false }),
    aRule("away", ["devs"], ["web"], { destinations: [anId("elsewhere")] }),
  ],
});
const snapshot = prepareSnapshot(map);
const numbersOf = (...groups: string[]): Int32Array =>
  Int32Array.from(groups, (group) => snapshot.groupIndex.get(anId(group)) ?? -1);

test("rules are in the order of their ids", () => {
  expect(snapshot.ruleIds).toEqual([...snapshot.ruleIds].sort());
  expect(snapshot.rules.map(({ id }) => id)).toEqual([...snapshot.ruleIds]);
});

test("a local user is mapped where an enabled rule for this machine lists it", () => {
  const isMapped = (name: string): boolean => snapshot.mappedLocalUsers.has(localUserNumber(snapshot, name));
  expect({ deploy: isMapped("deploy"), mail: isMapped("mail"), web: isMapped("web") }).toEqual({
    deploy: true,
    mail: false,
    web: false,
  });
  expect(localUserNumber(snapshot, "nobody-lists-me")).toBe(UNLISTED_LOCAL_USER);
});

test.each([
  ["own groups", markOwn(snapshot, laptop), { laptops: true, devs: false, lent: false }],
  ["counted groups", markDevice(snapshot, laptop, 0), { laptops: true, devs: true, lent: true }],
  [
    "those without approval",
    markDevice(snapshot, { ...laptop, ownerApproved: false }, 0),
    { laptops: true, devs: false, lent: true },
  ],
  ["a user's groups", markUser(snapshot, ann, 0), { laptops: false, devs: true, lent: false }],
])("%s are marked", (_, marks, wanted) => {
  const found = Object.fromEntries(
    Object.keys(wanted).map((group) => [group, meets(marks, numbersOf(group))]),
  );
  expect(found).toEqual(wanted);
});

test("a list has a number, or is any; nothing has what no rule lists", () => {
  const deploy = localUserNumber(snapshot, "deploy");
  expect(lists(Int32Array.of(deploy), deploy)).toBe(true);
  expect(lists(Int32Array.of(deploy), UNLISTED_LOCAL_USER)).toBe(false);
  expect(lists(Int32Array.of(0), UNLISTED_LOCAL_USER)).toBe(true);
  expect(lists(undefined, deploy)).toBe(false);
});

test.each(["__proto__", "constructor", "toString", ""])("nobody is found under %j", (name) => {
  expect(findPeer(map, name)).toBeUndefined();
  expect(findUser(map, name)).toBeUndefined();
});

test("a membership with an end counts until that second, and one without an end always does", () => {
  const until = { [anId("devs")]: 1_000, [anId("laptops")]: 500 };
  const bob = aUser("bob", ["devs"], { groupsUntil: until });
  expect([...groupsAt(bob, 499)].sort()).toEqual([anId("devs"), anId("laptops")].sort());
  expect(groupsAt(bob, 500)).toEqual([anId("devs")]);
  expect(groupsAt(bob, 1_000)).toEqual([anId("devs")]);
  expect([nextGroupEnd(bob, 499), nextGroupEnd(bob, 500)]).toEqual([500, null]);
});
