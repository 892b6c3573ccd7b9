import { expect, test } from "bun:test";
import { denialOfPrincipal, principalsOf } from "../../../src/policy/decide/principals.ts";
import { prepareSnapshot } from "../../../src/policy/decide/snapshot.ts";
import type { MapRule } from "../../../src/wire/network-map.ts";
import { aMap, anId, aPeer, aRequest, aRule, aUser } from "../../support/policy.ts";

const many = Array.from({ length: 300 }, (_, i) => `user${i}`);
const drop = aRule("no", ["devs"], ["web"], { action: "drop" });

test.each<{ name: string; rules: MapRule[]; want: string[] }>([
  {
    name: "lists the granted local users, sorted",
    rules: [aRule("a", ["devs"], ["web", "deploy"])],
    want: ["deploy", "web"],
  },
  {
    name: "joins rules",
    rules: [aRule("a", ["devs"], ["web"]), aRule("b", ["devs"], ["deploy"])],
    want: ["deploy", "web"],
  },
  { name: "says * for full access", rules: [aRule("a", ["devs"], "full")], want: ["*"] },
  { name: "says * for any by key", rules: [aRule("a", ["devs"], ["*"])], want: ["*"] },
  {
    name: "says * beyond 256 names",
    rules: [aRule("a", ["devs"], many.slice(0, 150)), aRule("b", ["devs"], many.slice(150))],
    want: ["*"],
  },
  {
    name: "leaves out what others may",
    rules: [aRule("a", ["ops"], ["root"]), aRule("b", ["devs"], ["web"])],
    want: ["web"],
  },
  {
    name: "leaves out what a drop denies",
    rules: [aRule("a", ["devs"], ["web", "deploy"]), drop],
    want: ["deploy"],
  },
  {
    name: "says no * for a full access that has expired",
    rules: [aRule("a", ["devs"], "full", { validUntilSeconds: 1_000_000 }), aRule("b", ["devs"], ["web"])],
    want: ["web"],
  },
  {
    name: "says no * for a key with [*] that asks for what is not there",
    rules: [aRule("a", ["devs"], ["*", "deploy"], { capabilities: { require_reason: true } })],
    want: [],
  },
  { name: "is empty without rules", rules: [], want: [] },
])("principalsOf $name", ({ rules, want }) => {
  const peers = [aPeer("laptop", [], { ownerUserId: anId("alice") })];
  const snapshot = prepareSnapshot(aMap({ users: [aUser("alice", ["devs"])], peers, rules }));
  expect(principalsOf(aRequest(), snapshot)).toEqual(want);
});

test.each<{ name: string; rules: MapRule[]; want: string | null }>([
  { name: "is null for a granted user", rules: [aRule("a", ["devs"], ["web"])], want: null },
  { name: "names an unmapped user", rules: [aRule("a", ["devs"], ["deploy"])], want: "local_user_unmapped" },
  {
    name: "names a user mapped for others",
    rules: [aRule("a", ["devs"], ["deploy"]), aRule("b", ["ops"], ["web"])],
    want: "local_user_not_authorized",
  },
  { name: "names a peer without a rule", rules: [], want: "peer_not_authorized" },
])("denialOfPrincipal $name", ({ rules, want }) => {
  const peers = [aPeer("laptop", [], { ownerUserId: anId("alice") })];
  const snapshot = prepareSnapshot(aMap({ rules, peers, users: [aUser("alice", ["devs"])] }));
  const request = aRequest({ userId: anId("alice"), devicePeerId: anId("laptop"), localUser: "web" });
  expect<string | null>(denialOfPrincipal(request, snapshot)).toBe(want);
});
