/** What may go on, and what may not. */
import { beforeEach, describe, expect, test } from "bun:test";
import type { Use } from "../../../src/agent/ssh-server/permission.ts";
import { NO_FACTS, permit } from "../../../src/agent/ssh-server/permit.ts";
import { findRevocation } from "../../../src/agent/ssh-server/recheck.ts";
import type { SshCapabilities } from "../../../src/wire/policy.ts";
import { KernelContext } from "../../support/kernel-context.ts";
import { anId, aRule, aUser } from "../../support/policy.ts";

let world: KernelContext;
beforeEach(() => {
  world = new KernelContext().open();
});

async function run(use: Use) {
  const wanted = { ...use, facts: NO_FACTS };
  const answer = await permit<"session.start", object>(world.permits, wanted, () => ({
    ...{ type: "session.start", sessionId: 0, kind: "shell", command: null, argv: null, pty: false },
  }));
  if (answer.kind !== "permit") throw new Error("it is not permitted");
  return answer;
}

const found = () => findRevocation(world.permits, world.lastActivityMs);
const rules = (...capabilities: SshCapabilities[]) =>
  Object.fromEntries(
    capabilities.map((one, index) => {
      const rule = aRule(`rule${index}`, ["devs"], "full", { capabilities: one });
      return [rule.id, rule];
    }),
  );

describe("findRevocation", () => {
  test("finds nothing against what may go on, and nothing where nothing runs", async () => {
    expect(found()).toBeNull();
    await run({ action: { kind: "connect" } });
    await run({ action: { kind: "shell" }, also: { kind: "pty" } });
    expect(found()).toBeNull();
  });

  test.each<[name: string, change: (w: KernelContext) => void, reason: string]>([
    ["no rule", (w) => (w.map = { ...w.map, rules: {} }), "peer_not_authorized"],
    [
      "a blocked person",
      (w) => {
        w.map = { ...w.map, users: { [anId("alice")]: aUser("alice", ["devs"], { status: "blocked" }) } };
      },
      "user_blocked",
    ],
    ["a map too old", (w) => (w.mapAgeSeconds = 3_601), "map_stale"],
    ["the machine's flag", (w) => (w.flags = { ...w.flags, sshServer: false }), "ssh_disabled"],
    ["machine identity instead", (w) => (w.sshAuth = false), "machine_identity_only"],
    [
      "what it does",
      (w) => (w.map = { ...w.map, rules: rules({ commands: ["/bin/true"] }) }),
      "shell_not_allowed",
    ],
    ["its terminal", (w) => (w.map = { ...w.map, rules: rules({ pty: false }) }), "pty_not_allowed"],
  ])("finds %s", async (_name, change, reason) => {
    await run({ action: { kind: "shell" }, also: { kind: "pty" } });
    change(world);
    expect(found()).toBe(reason as never);
  });

  test("forgets what has ended", async () => {
    const shell = await run({ action: { kind: "shell" } });
    world.map = { ...world.map, rules: {} };
    world.storing = "when released";
    void shell.end({ exitStatus: 0, signal: null });
    expect(world.permits.running.size).toBe(1);
    expect(found()).toBeNull();
  });

  test("wants one rule that by itself is enough for how it is done", async () => {
    const needsTerminal = (capabilities: SshCapabilities) =>
      capabilities.pty === false ? ("pty_not_allowed" as const) : null;
    await run({ action: { kind: "shell" }, refuse: needsTerminal });
    world.map = { ...world.map, rules: rules({ pty: false }, {}) };
    expect(found()).toBeNull();
    world.map = { ...world.map, rules: rules({ pty: false }, { pty: false }) };
    expect(found()).toBe("pty_not_allowed");
    world.map = { ...world.map, rules: rules({ pty: false }, { commands: ["/bin/true"], pty: true }) };
    expect(found()).toBe("pty_not_allowed");
  });

  test.each<[name: string, before: () => void, reason: string | null]>([
    ["the last moment of a rule's longest time", () => world.clock.advanceMs(59_999), null],
    ["a rule's longest time", () => world.clock.advanceMs(60_000), "session_time_over"],
    [
      "a rule's longest time, busy or not",
      () => {
        world.clock.advanceMs(60_000);
        world.lastActivityMs = world.clock.monotonicMs();
      },
      "session_time_over",
    ],
    [
      "the machine's longest time",
      () => {
        world.limits = { idleMs: null, connectionMs: 10_000 };
        world.clock.advanceMs(10_000);
      },
      "session_time_over",
    ],
    [
      "the machine's longest silence",
      () => {
        world.limits = { idleMs: 10_000, connectionMs: null };
        world.clock.advanceMs(10_000);
      },
      "session_idle",
    ],
  ])("counts by the time: %s", async (_name, before, reason) => {
    world.allow({ max_session_seconds: 60 });
    await run({ action: { kind: "shell" } });
    before();
    expect(found()).toBe(reason as never);
  });

  test("counts from the first of what is done often, and decides about it once", async () => {
    const action = { kind: "local_forward", host: "db", port: 5432 } as const;
    world.allow({ max_session_seconds: 60 });
    await run({ action });
    world.clock.advanceMs(59_000);
    for (let count = 0; count < 9; count++) await run({ action });
    world.decisions = 0;
    expect(found()).toBeNull();
    expect(world.decisions).toBe(1);
    world.clock.advanceMs(1_000);
    expect(found()).toBe("session_time_over");
  });
});
