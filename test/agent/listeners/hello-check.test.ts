import { beforeEach, expect, test } from "bun:test";
import type { FailureCount } from "../../../src/agent/contracts/failure-count.ts";
import { createGate, type Gate } from "../../../src/agent/listeners/hello-check.ts";
import { nowSeconds } from "../../../src/base/clock.ts";
import { generateEd25519 } from "../../../src/base/ed25519.ts";
import { type HelloOptions, makeHello } from "../../../src/fabric/hello.ts";
import { prepareSnapshot } from "../../../src/policy/decide/snapshot.ts";
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
const failures: FailureCount = {
  add: (_address, _peer, reason) => void counted.push(reason),
  flush: async () => {},
  close: async () => {},
};

let gate: Gate;
beforeEach(() => {
  counted.length = 0;
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
