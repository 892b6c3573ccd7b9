import { describe, expect, test } from "bun:test";
import {
  type AccountSnapshot,
  compileMap,
  countedGroups,
  indexAccount,
} from "../../../src/policy/maps/compile.ts";
import { NetworkMap } from "../../../src/wire/network-map.ts";
import { aMap, anId, aPeer, aRule, aUser } from "../../support/policy.ts";

const web1 = { ...aPeer("web1", ["servers"], { kind: "machine" }), sshEnabled: true };
const db1 = { ...aPeer("db1", ["databases"], { kind: "machine" }), sshEnabled: false };
const laptop = { ...aPeer("laptop", [], { ownerUserId: anId("alice") }), sshEnabled: true };
const bobs = { ...aPeer("bobs", [], { ownerUserId: anId("bob") }), sshEnabled: true };

const account: AccountSnapshot = {
  ...aMap({}),
  version: 7,
  cas: [],
  issuers: [],
  managementKeys: [],
  revokedLogins: [],
  users: [aUser("alice", ["devs", "people"]), aUser("bob", ["dbas", "people"])],
  peers: [web1, db1, laptop, bobs],
  rules: [
    aRule("web", ["devs"], ["deploy"]),
    aRule("db", ["dbas"], ["postgres"], { destinations: [anId("databases")] }),
    aRule("one", ["dbas"], ["web"], { destinations: [], destinationPeerId: db1.id }),
  ],
};
const index = indexAccount(account);

test("compileMap tells a machine only of its own rules", () => {
  expect(Object.keys(compileMap(index, web1.id)?.rules ?? {})).toEqual([anId("web")]);
  expect(Object.keys(compileMap(index, db1.id)?.rules ?? {}).sort()).toEqual(
    [anId("db"), anId("one")].sort(),
  );
});

test("compileMap tells a machine only of people its rules speak of, and their devices", () => {
  const map = compileMap(index, web1.id);
  expect(Object.keys(map?.users ?? {})).toEqual([anId("alice")]);
  expect(Object.keys(map?.peers ?? {})).toEqual([laptop.id]);
});

test("compileMap leaves out groups that no rule mentions", () => {
  expect(compileMap(index, web1.id)?.users[anId("alice")]?.groups).toEqual([anId("devs")]);
});

test("compileMap gives a machine without rules nobody", () => {
  const map = compileMap(index, laptop.id);
  expect([map?.rules, map?.users, map?.peers]).toEqual([{}, {}, {}]);
});

test.each(["blocked", "pending"] as const)(
  "compileMap tells a %s machine of nobody, and shuts it",
  (status) => {
    const shut = indexAccount({ ...account, peers: [{ ...web1, status }, laptop] });
    const map = compileMap(shut, web1.id);
    expect([map?.rules, map?.users, map?.peers]).toEqual([{}, {}, {}]);
    expect(map?.self).toMatchObject({ peerId: web1.id, sshEnabled: false });
    expect(compileMap(index, web1.id)?.self.sshEnabled).toBe(true);
  },
);

test("compileMap keeps blocked people and disabled rules, so that the reason can be said", () => {
  const blocked = indexAccount({
    ...account,
    users: [aUser("alice", ["devs"], { status: "blocked" })],
    rules: [aRule("web", ["devs"], ["deploy"], { enabled: false })],
  });
  const map = compileMap(blocked, web1.id);
  expect(map?.users[anId("alice")]?.status).toBe("blocked");
  expect(map?.rules[anId("web")]?.enabled).toBe(false);
});

describe("compileMap tells a machine", () => {
  const mapWith = (change: Partial<AccountSnapshot>) =>
    compileMap(indexAccount({ ...account, ...change }), web1.id);
  const kiosk = { ...aPeer("kiosk", ["kiosks"], { ownerUserId: anId("carol") }), sshEnabled: true };
  const carol = aUser("carol", ["people", "kiosks"]);

  test("who is in source_devices", () => {
    const rules = [aRule("r", [], "full", { sourceDevices: [anId("kiosks")] })];
    const map = mapWith({ rules, users: [carol], peers: [web1, kiosk] });
    expect(map?.peers[kiosk.id]?.groups).toEqual([anId("kiosks")]);
  });

  test("which machines may bring other programs", () => {
    const rules = [aRule("r", [], "full", { allowIntercepted: [anId("kiosks")] })];
    const map = mapWith({ rules, users: [carol], peers: [web1, kiosk] });
    expect(map?.peers[kiosk.id]?.groups).toEqual([anId("kiosks")]);
  });

  test("who is in the keys of a rule", () => {
    const rules = [aRule("r", [], "full", { authorizedGroups: { [anId("people")]: ["web"] } })];
    const map = mapWith({ rules, users: [carol], peers: [web1] });
    expect(map?.users[carol.id]?.groups).toEqual([anId("people")]);
  });

  test("the owner of a source device, with his status, and his other devices", () => {
    const desktop = { ...aPeer("desktop", [], { ownerUserId: carol.id }), sshEnabled: true };
    const rules = [aRule("r", [], "full", { sourcePeerId: kiosk.id })];
    const users = [{ ...carol, status: "blocked" as const }];
    const map = mapWith({ rules, users, peers: [web1, kiosk, desktop] });
    expect(map?.users[carol.id]?.status).toBe("blocked");
    expect(Object.keys(map?.peers ?? {}).sort()).toEqual([kiosk.id, desktop.id].sort());
  });

  test("of lent groups only those that its rules mention", () => {
    const lent = { ...kiosk, vouchedGroups: [anId("devs"), anId("secret")] };
    const map = mapWith({ users: [carol], peers: [web1, lent] });
    expect(map?.peers[kiosk.id]?.vouchedGroups).toEqual([anId("devs")]);
  });

  test("of a device by its owner's groups only once it is approved", () => {
    const shared = { ...kiosk, groups: [], ownerUserId: carol.id };
    const rules = [aRule("r", ["kiosks"], "full")];
    const keysOf = (ownerApproved: boolean): boolean =>
      countedGroups({ ...shared, ownerApproved }, new Map([[carol.id, carol]])).has(anId("kiosks"));
    expect([keysOf(true), keysOf(false)]).toEqual([true, false]);
    // The map has the device as one of its owner's all the same, so that the reason can be said.
    const map = mapWith({ rules, users: [carol], peers: [web1, { ...shared, ownerApproved: false }] });
    expect(map?.peers[kiosk.id]?.ownerApproved).toBe(false);
  });
});

test("compileMap makes maps that the wire takes", () => {
  for (const peer of account.peers) expect(() => NetworkMap.parse(compileMap(index, peer.id))).not.toThrow();
});

test("compileMap knows no foreign peer", () => {
  expect(compileMap(index, anId("elsewhere"))).toBeUndefined();
});

test("compileMap tells a source of a rule that holds both ways of the rule, and of who may come back", () => {
  const rule = aRule("mutual", ["servers"], "full", { protocol: "tcp", destinations: [anId("databases")] });
  const mapOf = (change: Partial<typeof rule>) =>
    compileMap(indexAccount({ ...account, rules: [{ ...rule, ...change }] }), web1.id);
  expect(Object.keys(mapOf({})?.rules ?? {})).toEqual([]);
  const mutual = mapOf({ bidirectional: true });
  expect(Object.keys(mutual?.rules ?? {})).toEqual([rule.id]);
  expect(mutual?.peers[db1.id]?.groups).toEqual([anId("databases")]);
  expect(Object.keys(mapOf({ bidirectional: true, protocol: "qufabric-ssh" })?.rules ?? {})).toEqual([]);
  const named = mapOf({ bidirectional: true, destinations: [], destinationPeerId: db1.id });
  expect(Object.keys(named?.peers ?? {})).toContain(db1.id);
});

test("compileMap calls a device a browser only where a rule of the machine refuses them", () => {
  const peers = account.peers.map((peer) =>
    peer.kind === "device" ? { ...peer, isBrowser: true as const } : peer,
  );
  const browsersFor = (capabilities: { allow_browsers?: boolean }, machine = web1.id) => {
    const rule = aRule("r", ["devs"], "full", { destinations: [anId("servers")], capabilities });
    const map = compileMap(indexAccount({ ...account, peers, rules: [rule] }), machine);
    return Object.values(map?.peers ?? {}).filter(({ isBrowser }) => isBrowser === true).length > 0;
  };
  expect([browsersFor({ allow_browsers: false }), browsersFor({ allow_browsers: true })]).toEqual([
    true,
    false,
  ]);
  expect([browsersFor({}), browsersFor({ allow_browsers: false }, db1.id)]).toEqual([false, false]);
});
