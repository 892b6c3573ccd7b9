/** Decide, store, decide again, begin; and an end for every start. */
import { beforeEach, describe, expect, test } from "bun:test";
import type { StartOf } from "../../../src/agent/ssh-server/paired-events.ts";
import type { Wanted } from "../../../src/agent/ssh-server/permission.ts";
import { NO_FACTS, permit, refuse } from "../../../src/agent/ssh-server/permit.ts";
import { revoke } from "../../../src/agent/ssh-server/revoke.ts";
import type { Action } from "../../../src/wire/decision.ts";
import { KernelContext } from "../../support/kernel-context.ts";
import { unpaired } from "../../support/paired-events.ts";
import { anId } from "../../support/policy.ts";
import { until } from "../../support/until.ts";

const DB: Action = { kind: "local_forward", host: "db", port: 5432 };
const SHELL: Action = { kind: "shell" };
const start: StartOf<"forward.open"> = {
  ...{ type: "forward.open", kind: "local", destination: "db:5432", forwardId: 0 },
};
const began: StartOf<"session.start"> = {
  ...{ type: "session.start", sessionId: 0, kind: "shell", command: null, argv: null, pty: true },
};

let world: KernelContext;
beforeEach(() => {
  world = new KernelContext().open();
});

function ask(change: Partial<Wanted<object>> = {}) {
  return permit<"forward.open", object>(
    world.permits,
    { action: DB, facts: NO_FACTS, ...change },
    () => start,
  );
}

async function settled(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
}

describe("permit", () => {
  test("stores the decision and the start, and then lets it run", async () => {
    const answer = await ask();
    expect(answer.kind).toBe("permit");
    expect(world.story()).toEqual(["decision allow", "forward.open"]);
    expect(world.events[1]).toMatchObject({ connectionId: world.id, userId: anId("alice"), forwardId: 0 });
    expect(world.permits.running.size).toBe(1);
    // Before it is stored, and after.
    expect(world.decisions).toBe(2);
  });

  test("lets nothing run before it is stored", async () => {
    world.storing = "when released";
    const asked = ask();
    await settled();
    expect({ held: world.held, running: world.permits.running.size }).toEqual({ held: 2, running: 0 });
    world.release(1);
    await settled();
    expect(world.permits.running.size).toBe(0);
    world.release();
    expect((await asked).kind).toBe("permit");
    expect(world.permits.running.size).toBe(1);
  });

  test("runs under what is granted by now, also where it is less", async () => {
    world.storing = "when released";
    const asked = ask();
    await settled();
    world.allow({ local_forward: ["db:5432"] });
    world.release();
    const answer = await asked;
    expect(answer.kind === "permit" && answer.grant.capabilities).toMatchObject({
      local_forward: ["db:5432"],
    });
  });

  test.each<[name: string, wanted: Partial<Wanted<object>>, spoil: () => void, reason: string]>([
    ["policy", {}, () => world.allow({ local_forward: [] }), "local_forward_disabled"],
    [
      "a second action that goes with it",
      { also: { kind: "x11_forwarding" } },
      () => {},
      "x11_not_available",
    ],
    ["how it is done", { refuse: () => "pty_not_allowed" }, () => {}, "pty_not_allowed"],
    ["what the system says", { facts: async () => "account_locked" }, () => {}, "account_locked"],
    [
      "evidence that cannot be stored",
      {},
      () => {
        world.storing = "ERR_UNAVAILABLE";
      },
      "audit_unavailable",
    ],
    [
      "a share of evidence that is used up",
      {},
      () => {
        world.storing = "ERR_TOO_MANY";
      },
      "audit_share_full",
    ],
  ])("is denied by %s, and nothing runs", async (_name, wanted, spoil, reason) => {
    spoil();
    const answer = await ask(wanted);
    expect(answer).toMatchObject({ kind: "deny", reason });
    expect(world.permits.running.size).toBe(0);
    expect(world.story().filter((what) => what !== "decision deny")).toEqual([]);
    expect(world.refusals).toBe(1);
    const isStored = world.storing === "at once";
    expect(world.denials()).toEqual(isStored ? [reason as never] : []);
    if (answer.kind === "deny") expect(answer.receipt !== null).toBe(isStored);
  });

  test("asks the system nothing for what policy denies", async () => {
    world.allow({ local_forward: [] });
    let isAsked = false;
    await ask({
      facts: async () => {
        isAsked = true;
        return {};
      },
    });
    expect(isAsked).toBe(false);
  });

  test("is denied by a change while it was stored: then its start has an end, and the denial is stored", async () => {
    world.storing = "when released";
    const asked = ask();
    await settled();
    world.allow({ local_forward: [] });
    world.storing = "at once";
    world.release();
    expect(await asked).toMatchObject({ kind: "deny", reason: "local_forward_disabled" });
    expect(world.story()).toEqual(["decision allow", "forward.open", "forward.close", "decision deny"]);
    expect(world.events[2]).toMatchObject({
      ...{ forwardId: 0, reason: "local_forward_disabled", bytesIn: 0, bytesOut: 0 },
    });
    expect(world.permits.running.size).toBe(0);
  });

  test("is denied where how it is done is no longer granted when it is stored", async () => {
    let isEnough = true;
    world.storing = "when released";
    const asked = ask({ refuse: () => (isEnough ? null : "pty_not_allowed") });
    await settled();
    isEnough = false;
    world.storing = "at once";
    world.release();
    expect(await asked).toMatchObject({ kind: "deny", reason: "pty_not_allowed" });
    expect(unpaired(world.events)).toEqual([]);
  });

  test.each<[name: string, end: () => void, reason: string | null]>([
    ["its client has left", () => world.leave(), null],
    ["the machine has ended it", () => void revoke(world, "session_killed"), "session_killed"],
  ])("begins nothing when %s while it was stored, and its start has an end", async (_name, end, reason) => {
    world.storing = "when released";
    const asked = ask();
    await settled();
    end();
    world.storing = "at once";
    world.release();
    expect(await asked).toEqual({ kind: "over" });
    expect(world.story()).toEqual(["decision allow", "forward.open", "forward.close"]);
    expect(world.events[2]).toMatchObject({ reason });
    expect(world.refusals).toBe(0);
  });

  test("stores nothing for what was gone before", async () => {
    expect(await ask({ isGone: () => true })).toEqual({ kind: "over" });
    expect(world.events).toEqual([]);
  });

  test("rejects with what its facts reject with, and nothing runs or is stored", async () => {
    const failing = ask({ facts: () => Promise.reject(new Error("no database of accounts")) });
    await expect(failing).rejects.toThrow("no database of accounts");
    expect(world.events).toEqual([]);
    expect(world.permits.running.size).toBe(0);
  });

  test("hands its facts to its start, and on", async () => {
    const answer = await permit<"session.start", { readonly shell: string }>(
      world.permits,
      { action: SHELL, facts: async () => ({ shell: "/bin/sh" }) },
      ({ ruleId }, { shell }) => ({ ...began, argv: [shell, ruleId] }),
    );
    expect(answer.kind === "permit" && answer.facts.shell).toBe("/bin/sh");
    expect(world.events[1]).toMatchObject({ argv: ["/bin/sh", anId("rule")] });
  });
});

describe("the end of a permit", () => {
  async function permitted() {
    const answer = await ask();
    if (answer.kind !== "permit") throw new Error("it is not permitted");
    return answer;
  }

  test("is stored once, with how long it lasted, and it runs no more", async () => {
    const running = await permitted();
    world.clock.advanceMs(1_234);
    await running.end({ bytesIn: 5, bytesOut: 6, reason: null });
    await running.end({ bytesIn: 0, bytesOut: 0, reason: "failed" });
    const ends = world.events.filter(({ type }) => type === "forward.close");
    expect(ends).toEqual([
      expect.objectContaining({ bytesIn: 5, bytesOut: 6, reason: null, durationMs: 1_234 }),
    ]);
    expect(world.permits.running.size).toBe(0);
  });

  test("is tried again until it can be stored", async () => {
    const running = await permitted();
    world.storing = "ERR_UNAVAILABLE";
    await running.end({ bytesIn: 5, bytesOut: 6, reason: null });
    expect(unpaired(world.events)).toHaveLength(1);
    expect(running.hasEnded).toBe(true);
    world.storing = "at once";
    await until("the end is stored", () => world.permits.running.size === 0);
    expect(unpaired(world.events)).toEqual([]);
    expect(world.events.at(-1)).toMatchObject({ bytesIn: 5, bytesOut: 6 });
  });

  test("keeps what is done under it from being stored any more", async () => {
    const answer = await permit<"session.start", object>(
      world.permits,
      { action: { kind: "sftp" }, facts: NO_FACTS },
      () => ({ ...began, kind: "sftp" }),
    );
    if (answer.kind !== "permit") throw new Error("it is not permitted");
    const note = () => answer.note({ type: "sftp.operations", sessionId: 0, operations: [] });
    expect(await note()).toBe(true);
    await answer.end({ exitStatus: 0, signal: null });
    expect(await note()).toBe(false);
    expect(world.story().slice(-2)).toEqual(["sftp.operations", "session.end"]);
  });

  test("says the reason of the connection's end where it has none", async () => {
    const running = await permitted();
    void revoke(world, "map_stale");
    await running.end({ bytesIn: 0, bytesOut: 0, reason: null });
    expect(world.events.at(-1)).toMatchObject({ type: "forward.close", reason: "map_stale" });
  });
});

test("a refusal that only the mechanism knows of is stored, counted, and has a sentence and a receipt", async () => {
  const denial = await refuse(world.permits, world.permits.deny("command_too_long", SHELL));
  expect(denial).toMatchObject({ kind: "deny", reason: "command_too_long" });
  expect(denial.line).toContain(denial.receipt ?? "no receipt");
  expect(world.denials()).toEqual(["command_too_long"]);
  expect(world.refusals).toBe(1);
});

test("a refusal that cannot be stored counts all the same, and has no receipt", async () => {
  world.storing = "ERR_UNAVAILABLE";
  const denial = await refuse(world.permits, world.permits.deny("command_too_long", SHELL));
  expect(denial).toMatchObject({ kind: "deny", reason: "command_too_long", receipt: null });
  expect(world.refusals).toBe(1);
});

test("a listener is decided about by what it came to", async () => {
  const running = await ask();
  if (running.kind !== "permit") throw new Error(running.kind);
  const came: Action = { kind: "remote_forward", host: "127.0.0.1", port: 40_000 };
  running.narrow(came);
  expect(running.wanted.action).toEqual(came);
});

test("the trace has each decision by its rule, and no destination or command", async () => {
  const answer = await permit<"session.start", object>(
    world.permits,
    { action: { kind: "exec", command: "mysql -psecret" }, facts: NO_FACTS },
    () => ({ ...began, kind: "exec", command: "mysql -psecret" }),
  );
  if (answer.kind === "permit") await answer.end({ exitStatus: 0, signal: null });
  world.allow({ commands: ["/usr/bin/uptime"] });
  await refuse(world.permits, world.permits.authorize({ kind: "exec", command: "mysql -psecret" }));
  const trace = world.lines.filter(({ message }) => message !== "state");
  expect(trace.map(({ level, message, fields }) => [level, message, fields])).toEqual([
    ["debug", "began", { connectionId: world.id, action: "exec", rule: anId("rule") }],
    ["debug", "ended", { connectionId: world.id, action: "exec", durationMs: 0 }],
    ["debug", "refused", { connectionId: world.id, action: "exec", reason: "command_not_allowed" }],
  ]);
  expect(JSON.stringify(world.lines)).not.toContain("secret");
});
