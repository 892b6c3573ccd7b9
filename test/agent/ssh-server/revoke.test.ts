/** How the machine ends what runs. */
import { beforeEach, describe, expect, test } from "bun:test";
import type { Use } from "../../../src/agent/ssh-server/permission.ts";
import { NO_FACTS, permit } from "../../../src/agent/ssh-server/permit.ts";
import { recheck, revoke } from "../../../src/agent/ssh-server/revoke.ts";
import { KernelContext } from "../../support/kernel-context.ts";
import { until } from "../../support/until.ts";

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

describe("recheck", () => {
  test("ends a connection whole at the first denial, and says why", async () => {
    await run({ action: { kind: "shell" } });
    world.change((map) => ({ ...map, rules: {} }));
    await world.revoked;
    expect(world.state.endReason).toBe("peer_not_authorized");
    expect(world.said).toStartWith("Access revoked: User is not authorized to access this peer");
    expect({ killed: world.killed, forwardsClosed: world.forwardsClosed }).toEqual({
      killed: true,
      forwardsClosed: true,
    });
  });

  test("leaves a connection alone in which nothing runs, or that may go on, or that ends already", async () => {
    world.change((map) => ({ ...map, rules: {} }));
    expect(world.revoked).toBeNull();
    world = new KernelContext().open();
    await run({ action: { kind: "shell" } });
    recheck(world);
    expect(world.revoked).toBeNull();
    world.leave();
    world.change((map) => ({ ...map, rules: {} }));
    expect(world.revoked).toBeNull();
  });

  test("ends what runs before anybody was told that they are in", async () => {
    world = new KernelContext();
    for (const step of ["try", "prove"] as const) world.state.take(step);
    await run({ action: { kind: "connect" } });
    world.change((map) => ({ ...map, rules: {} }));
    expect(world.state.is("ending")).toBe(true);
    expect(world.state.take("admit")).toBe(false);
  });
});

describe("revoke", () => {
  test("is done once, whoever asks: the first reason and the first words count", async () => {
    const first = revoke(world, "session_killed", "by order");
    const second = revoke(world, "map_stale");
    await Promise.all([first, second]);
    expect(world.said).toBe("Access revoked: by order");
    expect(world.state.endReason).toBe("session_killed");
  });

  test("ends its forwards before its processes, so that sockets are taken away", async () => {
    const steps: string[] = [];
    world.closeForwards = async () => void steps.push("forwards");
    const containment = { killAll: async () => steps.push("processes") > 0 };
    await revoke(Object.assign(world, { containment }), "session_killed");
    expect(steps).toEqual(["forwards", "processes"]);
  });

  test("resolves when the stream has closed, and logs processes that are left", async () => {
    Object.assign(world, { containment: { killAll: async () => false } });
    await revoke(world, "session_killed");
    expect(world.lines.filter(({ level }) => level === "error")).toEqual([
      expect.objectContaining({ message: "processes of an ended connection are left" }),
    ]);
  });

  test("kills again what was left, until nothing is", async () => {
    const answers = [false, false, true];
    Object.assign(world, { containment: { killAll: async () => answers.shift() ?? false } });
    await revoke(world, "session_killed");
    expect(answers).toEqual([false, true]);
    await until("it is done", () => answers.length === 0);
  });

  test("of a connection that is gone does nothing", async () => {
    world.leave();
    await revoke(world, "session_killed");
    expect({ said: world.said, killed: world.killed }).toEqual({ said: "", killed: false });
  });
});
