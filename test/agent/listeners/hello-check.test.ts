import { beforeEach, describe, expect, test } from "bun:test";
import type { FailureCount } from "../../../src/agent/contracts/failure-count.ts";
import { createGate, type Gate } from "../../../src/agent/listeners/hello-check.ts";
import { nowSeconds } from "../../../src/base/clock.ts";
import { generateEd25519 } from "../../../src/base/ed25519.ts";
import { type HelloOptions, makeHello } from "../../../src/fabric/hello.ts";
import { type PolicySnapshot, prepareSnapshot } from "../../../src/policy/decide/snapshot.ts";
import type { Hello } from "../../../src/wire/hello.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { aMap, anId, aPeer, aRule } from "../../support/policy.ts";

const deviceKey = generateEd25519();
const map = aMap({
  peers: [
    aPeer("laptop", ["devs"], { deviceKey: deviceKey.publicKey }),
    aPeer("stray", ["guests"], { deviceKey: deviceKey.publicKey }),
  ],
  rules: [aRule("rule", ["devs"], "full")],
});
const snapshot = prepareSnapshot(map);
const clock = new FakeClock();
const counted: string[] = [];
/** The peers that failures were counted for. */
const blamed: (string | null)[] = [];
const failures: FailureCount = {
  add(_address, peer, reason) {
    counted.push(reason);
    blamed.push(peer);
  },
  flush: async () => {},
  close: async () => {},
};

let gate: Gate;
beforeEach(() => {
  counted.length = 0;
  blamed.length = 0;
  gate = createGate({ clock, failures, hadPredecessor: false, snapshot: () => snapshot });
});

function hello(change: Partial<HelloOptions> = {}): string {
  const line = makeHello({
    deviceKey,
    scope: { accountId: map.accountId, origin: map.origin },
    source: anId("laptop"),
    target: map.self.peerId,
    port: 22,
    nowSeconds: nowSeconds(clock),
    ...change,
  });
  return line.slice(0, -1);
}

const taken = hello();
const other = { accountId: map.accountId, origin: "https://other.example.com" };

test.each<[what: string, line: () => string, isHostile: boolean]>([
  ["a line that is no hello", () => "GET / HTTP/1.1", true],
  ["one by another key", () => hello({ deviceKey: generateEd25519() }), true],
  ["one for another management", () => hello({ scope: other }), true],
  ["one that was taken before", () => taken, true],
  ["one for another machine", () => hello({ target: anId("web2") }), false],
  ["one by a clock that is wrong", () => hello({ nowSeconds: nowSeconds(clock) - 3_600 }), false],
  ["one of a device that the map does not have yet", () => hello({ source: anId("new") }), false],
  ["one that the network rules refuse", () => hello({ source: anId("stray") }), false],
])("%s is refused and counted, and is hostile or may be honest", (_what, line, isHostile) => {
  gate.check(taken, "192.0.2.1");
  let told = 0;
  expect(gate.check(line(), "192.0.2.1", () => told++)).toBeNull();
  expect(counted).toHaveLength(1);
  expect(told).toBe(isHostile ? 1 : 0);
});

test("a hello as it should be is taken, and nobody is told anything", () => {
  let told = 0;
  expect(gate.check(hello(), "192.0.2.1", () => told++)?.source).toBe(anId("laptop"));
  expect([told, counted]).toEqual([0, []]);
});

test("without a map nothing is taken, and nobody has offended", () => {
  const blind = createGate({ clock, failures, hadPredecessor: false, snapshot: () => null });
  let told = 0;
  expect(blind.check(hello(), "192.0.2.1", () => told++)).toBeNull();
  expect(told).toBe(0);
});

test("a device without a rule fills nothing that those with one need", () => {
  const stray = hello({ source: anId("stray") });
  for (let i = 0; i < 2; i++) expect(gate.check(stray, "192.0.2.1")).toBeNull();
  expect(counted).toEqual(["network_not_allowed", "network_not_allowed"]);
});

test("a hello made before this process started is taken only where none can have taken it before", () => {
  const first = createGate({ clock, failures, hadPredecessor: false, snapshot: () => snapshot });
  const second = createGate({ clock, failures, hadPredecessor: true, snapshot: () => snapshot });
  const before = hello({ nowSeconds: nowSeconds(clock) - 5 });
  expect(first.check(before, "192.0.2.1")?.source).toBe(anId("laptop"));
  expect(second.check(before, "192.0.2.1")).toBeNull();
  expect(counted).toEqual(["certificate_replayed"]);
  expect(second.check(hello(), "192.0.2.1")?.source).toBe(anId("laptop"));
});

test("a ping is ruled as SSH is", () => {
  expect(gate.check(hello({ port: 7 }), "192.0.2.1")?.port).toBe(7);
  expect(gate.check(hello({ port: 7, source: anId("stray") }), "192.0.2.1")).toBeNull();
});

test("nobody is blamed by a line that does not prove who sent it", () => {
  gate.check(hello({ deviceKey: generateEd25519() }), "192.0.2.1");
  gate.check(hello({ target: anId("web2") }), "192.0.2.1");
  gate.check("noise", "192.0.2.1");
  gate.check(hello({ source: anId("stray") }), "192.0.2.1");
  expect(blamed).toEqual([null, null, null, anId("stray")]);
});

describe("a stream whose hello was taken", () => {
  const started = gateTaken();

  test.each<[string, PolicySnapshot | null, boolean]>([
    ["goes on by the same rules", snapshot, true],
    ["ends without a map", null, false],
    ["ends without its rule", prepareSnapshot({ ...map, rules: {} }), false],
    [
      "ends with SSH switched off",
      prepareSnapshot({ ...map, self: { ...map.self, sshEnabled: false } }),
      false,
    ],
    ["ends with its device", prepareSnapshot({ ...map, peers: {} }), false],
  ])("%s", (_name, present, want) => {
    let current: PolicySnapshot | null = snapshot;
    const living = createGate({ clock, failures, hadPredecessor: false, snapshot: () => current });
    const taken = living.check(hello(), "192.0.2.1");
    if (taken === null) throw new Error("not taken");
    current = present;
    expect(living.mayGoOn(taken)).toBe(want);
    expect(living.mayGoOn({ ...started, port: 7 })).toBe(want);
  });
});

function gateTaken(): Hello {
  const made = createGate({ clock, failures, hadPredecessor: false, snapshot: () => snapshot });
  const found = made.check(hello(), "192.0.2.1");
  if (found === null) throw new Error("not taken");
  return found;
}
