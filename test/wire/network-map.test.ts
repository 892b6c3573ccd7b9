import { expect, test } from "bun:test";
import {
  MapPeer,
  MapRule,
  MapUser,
  NetworkMap,
  NetworkMapDelta,
  PublicJwk,
} from "../../src/wire/network-map.ts";
import { aMap, anId, aPeer, aRule, aUser } from "../support/policy.ts";
import { testShape } from "../support/shapes.ts";

const map = aMap({
  users: [aUser("ann", ["devs"])],
  peers: [aPeer("laptop", ["devs"])],
  rules: [aRule("r", ["devs"], ["deploy"])],
});

testShape(
  "a map",
  NetworkMap,
  { ...map },
  {
    changes: [
      { epoch: 0 },
      { version: 0 },
      { origin: "ftp://qf.example.com" },
      { self: { ...map.self, address: "10.0.0.1" } },
      { self: { ...map.self, extra: 1 } },
      { settings: { ...map.settings, require: { ...map.settings.require, witness: true } } },
      { rules: { [anId("r")]: { ...aRule("r", ["devs"], ["deploy"]), onlyOnSundays: true } } },
      { users: undefined },
    ],
  },
);
testShape(
  "a user",
  MapUser,
  { ...aUser("ann", ["devs"]) },
  {
    changes: [{ status: "retired" }, { groups: ["devs"] }, { isService: "no" }],
  },
);
testShape(
  "a peer",
  MapPeer,
  { ...aPeer("laptop", ["devs"]) },
  {
    changes: [{ kind: "toaster" }, { deviceKey: "k" }, { ownerUserId: undefined }, { posturePassed: [""] }],
  },
);
testShape(
  "a rule",
  MapRule,
  { ...aRule("r", ["devs"], ["deploy"]) },
  {
    changes: [
      { action: "allow" },
      { protocol: "sctp" },
      { ports: [{ start: 23, end: 22 }] },
      { ports: [{ start: 0, end: 1 }] },
      { authorizedGroups: { [anId("devs")]: [] } },
      { capabilities: { teleport: true } },
      { schedule: { windows: [] } },
      { validUntilSeconds: undefined },
    ],
  },
);

test("a delta says from where to where, and nothing of what is unchanged", () => {
  expect(NetworkMapDelta.parse({ fromVersion: 1, toVersion: 2 })).toEqual({ fromVersion: 1, toVersion: 2 });
  for (const delta of [
    { fromVersion: 1 },
    { fromVersion: 0, toVersion: 1 },
    { fromVersion: 1, toVersion: 2, x: 1 },
  ]) {
    expect(NetworkMapDelta.safeParse(delta).success).toBe(false);
  }
});

test.each([{ d: "private" }, { k: "symmetric" }])("a key that holds %j is no public one", (secret) => {
  expect(PublicJwk.safeParse({ kty: "OKP", crv: "Ed25519", x: "x" }).success).toBe(true);
  expect(PublicJwk.safeParse({ kty: "OKP", ...secret }).success).toBe(false);
});
