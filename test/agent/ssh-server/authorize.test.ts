/** What only the machine knows, before policy is asked; and what is written down of it. */
import { beforeEach, expect, test } from "bun:test";
import { authorize, denied, requestOf, type Subject } from "../../../src/agent/ssh-server/authorize.ts";
import { nowSeconds } from "../../../src/base/clock.ts";
import type { Action } from "../../../src/wire/decision.ts";
import { ALICE, KernelContext } from "../../support/kernel-context.ts";
import { anId, aPeer, aRule, aUser } from "../../support/policy.ts";

const CONNECT: Action = { kind: "connect" };
const alice: Subject = { who: ALICE, localUser: "deploy", localUid: 1_000 };
const root: Subject = { who: ALICE, localUser: "root", localUid: 0 };
/** A name for uid 0 that is not its own. */
const toor: Subject = { who: ALICE, localUser: "toor", localUid: 0 };
/** No such account: then the name alone says it. */
const noRoot: Subject = { who: ALICE, localUser: "root", localUid: null };
const offline: Subject = { ...alice, who: { ...ALICE, offline: true } as Subject["who"] };
const machine: Subject = {
  who: { kind: "peer", peerId: anId("laptop") },
  localUser: "deploy",
  localUid: 1_000,
};

let world: KernelContext;
beforeEach(() => {
  world = new KernelContext();
});

test("a subject that nothing is against is allowed, by a rule, with the trace", () => {
  const answer = authorize(world.serverContext, alice, CONNECT);
  expect(answer).toMatchObject({
    kind: "allow",
    grant: { ruleId: anId("rule") },
    request: {
      userId: anId("alice"),
      devicePeerId: anId("laptop"),
      targetPeerId: anId("web1"),
      localUser: "deploy",
      action: CONNECT,
      atSeconds: nowSeconds(world.clock),
    },
    record: {
      outcome: "allow",
      ruleId: anId("rule"),
      trace: [{ ruleId: anId("rule"), outcome: "granted" }],
    },
  });
});

/** Each row is one step from what is allowed. */
test.each<[name: string, subject: Subject, change: (w: KernelContext) => void, reason: string | null]>([
  ["a map of the oldest age", alice, (w) => (w.mapAgeSeconds = 3_600), null],
  ["a map one second older", alice, (w) => (w.mapAgeSeconds = 3_601), "map_stale"],
  ["a map of the oldest age for root", root, (w) => (w.mapAgeSeconds = 300), null],
  ["a map one second older for root", root, (w) => (w.mapAgeSeconds = 301), "map_stale"],
  ["the same for another name of uid 0", toor, (w) => (w.mapAgeSeconds = 301), "map_stale"],
  ["the same for root where there is no account", noRoot, (w) => (w.mapAgeSeconds = 301), "map_stale"],
  ["a map that never was current", alice, (w) => (w.mapAgeSeconds = Number.POSITIVE_INFINITY), "map_stale"],
  ["machine identity instead of people", alice, (w) => (w.sshAuth = false), "machine_identity_only"],
  [
    "a pinned issuer that is another",
    alice,
    (w) => (w.pinned = { issuer: "https://other.example.com", audiences: ["qf"], keys: [] }),
    "binding_not_accepted",
  ],
  [
    "a pinned issuer that is this one",
    alice,
    (w) => (w.pinned = { issuer: ALICE.kind === "user" ? ALICE.issuer : "", audiences: ["qf"], keys: [] }),
    null,
  ],
  [
    "a pinned issuer, and management's word",
    { ...alice, who: { ...ALICE, binding: "ca" } as Subject["who"] },
    (w) => (w.pinned = { issuer: ALICE.kind === "user" ? ALICE.issuer : "", audiences: ["qf"], keys: [] }),
    "binding_not_accepted",
  ],
  ["an offline login where it is no longer taken", offline, () => {}, "binding_not_accepted"],
  ["an offline login while management is back", offline, (w) => (w.offlineLogins = "waiting"), null],
  [
    "a login that was ended",
    alice,
    (w) => {
      const login = { id: "L".repeat(43), untilSeconds: 2_000_000_000 };
      w.map = { ...w.map, revokedLogins: { [login.id]: login } };
    },
    "login_revoked",
  ],
  [
    "a blocked person whose login was ended as well",
    alice,
    (w) => {
      const login = { id: "L".repeat(43), untilSeconds: 2_000_000_000 };
      const users = { [anId("alice")]: aUser("alice", ["devs"], { status: "blocked" }) };
      w.map = { ...w.map, users, revokedLogins: { [login.id]: login } };
    },
    "user_blocked",
  ],
  [
    "the same subject of another issuer",
    alice,
    (w) => {
      const users = { [anId("alice")]: aUser("alice", ["devs"], { issuer: "https://evil.example.com" }) };
      w.map = { ...w.map, users };
    },
    "token_invalid",
  ],
  [
    "another subject of the same issuer",
    alice,
    (w) => {
      w.map = { ...w.map, users: { [anId("alice")]: aUser("alice", ["devs"], { subject: "mallory" }) } };
    },
    "token_invalid",
  ],
  [
    "a person whom the map does not know",
    alice,
    (w) => (w.map = { ...w.map, users: {} }),
    "peer_not_authorized",
  ],
])("%s", (_name, subject, change, reason) => {
  change(world);
  const answer = authorize(world.serverContext, subject, CONNECT);
  expect(answer.kind === "deny" ? answer.reason : null).toBe(reason as never);
  expect(answer.record).toMatchObject({ outcome: answer.kind, reason });
});

test.each<[name: string, change: (w: KernelContext) => void, reason: string | null]>([
  ["where people sign in", (w) => (w.sshAuth = true), "binding_not_accepted"],
  [
    "at a pinned machine",
    (w) => (w.pinned = { issuer: "https://idp.example.com", audiences: ["qf"], keys: [] }),
    "binding_not_accepted",
  ],
  ["where it is taken", () => {}, null],
])("a machine by its device key, %s", (_name, change, reason) => {
  world.sshAuth = false;
  const rule = aRule("machines", ["devs"], "full", { protocol: "all", machineLocalUsers: ["deploy"] });
  const peers = { [anId("laptop")]: aPeer("laptop", ["devs"], { kind: "machine" }) };
  world.map = { ...world.map, peers, rules: { [rule.id]: rule } };
  change(world);
  const answer = authorize(world.serverContext, machine, CONNECT);
  expect(answer.kind === "deny" ? answer.reason : null).toBe(reason as never);
  expect(answer.request).toMatchObject({ userId: null, devicePeerId: anId("laptop") });
});

test("before the first map everything is denied, about a machine that is nobody's", () => {
  const context = { ...world.serverContext, snapshot: () => null };
  const answer = authorize(context, alice, CONNECT);
  expect(answer).toMatchObject({
    kind: "deny",
    reason: "map_stale",
    request: { targetPeerId: "0".repeat(20) },
  });
});

test("a denial that policy had no part in has its reason and no rule", () => {
  const request = requestOf(world.serverContext, alice, { kind: "shell" });
  expect(denied("command_too_long", request)).toEqual({
    kind: "deny",
    reason: "command_too_long",
    request,
    record: { outcome: "deny", reason: "command_too_long", ruleId: null, trace: [] },
  });
});
