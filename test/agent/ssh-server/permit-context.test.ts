import { expect, test } from "bun:test";
import { evidenceOf } from "../../../src/agent/ssh-server/permit-context.ts";
import type { NetworkMap } from "../../../src/wire/network-map.ts";
import { ALICE, KernelContext } from "../../support/kernel-context.ts";
import { anId } from "../../support/policy.ts";

test.each([
  ["plain", true, "allow"],
  ["plain", false, "plain_ssh_disabled"],
  ["direct", false, "allow"],
  ["relay", false, "allow"],
  ["stdio", false, "allow"],
] as const)(
  "a connection by path %s, where plain clients are served: %p, is answered %s",
  (path, takesPlain, answer) => {
    const world = new KernelContext({ path });
    world.takesPlain = takesPlain;
    for (const action of [{ kind: "connect" }, { kind: "shell" }] as const) {
      const found = world.permits.authorize(action);
      expect(found.kind === "deny" ? found.reason : found.kind).toBe(answer);
    }
  },
);

test.each([
  ["may come in", (_map: NetworkMap) => ({}), "allow"],
  [
    "is blocked",
    (map: NetworkMap) => ({ peers: changed(map.peers, { status: "blocked" }) }),
    "device_blocked",
  ],
  ["is gone", (_map: NetworkMap) => ({ peers: {} }), "device_unknown"],
  [
    "may reach this machine no more",
    (map: NetworkMap) => ({ peers: changed(map.peers, { groups: [], ownerApproved: false }) }),
    "network_not_allowed",
  ],
] as const)("what a peer that %s carries of another program is answered so", (_what, change, answer) => {
  const world = new KernelContext();
  world.allow({ allow_unmanaged_devices: true });
  const peerId = anId("laptop");
  Object.assign(world.origin, { sourcePeerId: null, via: { by: "intercept", localUser: "deploy", peerId } });
  const permits = world.permitsFor({ ...world.subject, who: { ...ALICE, devicePeerId: null } as never });
  world.map = { ...world.map, ...change(world.map) };
  const found = permits.authorize({ kind: "shell" });
  expect(found.kind === "deny" ? found.reason : found.kind).toBe(answer);
});

/** Every entry, with some fields other. */
function changed<T extends object>(all: Readonly<Record<string, T>>, change: Partial<T>): Record<string, T> {
  return Object.fromEntries(Object.entries(all).map(([id, one]) => [id, { ...one, ...change }]));
}

test("it is over when the state says so, and has its reason", () => {
  const world = new KernelContext().open();
  expect([world.permits.isOver(), world.permits.endReason()]).toEqual([false, null]);
  world.state.take("end", "map_stale");
  expect([world.permits.isOver(), world.permits.endReason()]).toEqual([true, "map_stale"]);
});

test.each([
  [
    "a person",
    { kind: "user", userId: anId("alice"), binding: "ca" },
    { userId: anId("alice"), binding: "ca", offline: undefined },
  ],
  [
    "a person whose login key signed for itself",
    { kind: "user", userId: anId("alice"), binding: "idp", offline: true },
    { userId: anId("alice"), binding: "idp", offline: true },
  ],
  ["a machine", { kind: "peer", peerId: anId("web2") }, { userId: null, binding: null, offline: undefined }],
  [
    "a proof that is not accepted",
    { kind: "unaccepted", userId: anId("bob") },
    { userId: anId("bob"), binding: null, offline: undefined },
  ],
] as const)("evidence of %s says whose it is, and how they were proven", async (_name, who, wanted) => {
  const world = new KernelContext();
  const { origin, id: connectionId } = world;
  const evidence = evidenceOf(world.serverContext, { connectionId, origin, who: who as never });
  const decision = evidence.decision(world.permits.authorize({ kind: "connect" }), null);
  const { binding, offline } = decision;
  await evidence.store({ type: "session.end", sessionId: 0, exitStatus: 0, signal: null, durationMs: 1 });
  const [end] = world.events;
  const userId = end !== undefined && "userId" in end ? end.userId : undefined;
  expect({ userId: userId ?? null, binding, offline }).toEqual(wanted);
});
