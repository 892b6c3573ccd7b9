import { beforeEach, expect, test } from "bun:test";
import { Leftovers } from "../../../src/agent/ssh-server/leftovers.ts";
import { NO_FACTS, permit } from "../../../src/agent/ssh-server/permit.ts";
import { KernelContext } from "../../support/kernel-context.ts";
import { unpaired } from "../../support/paired-events.ts";

let world: KernelContext;
let leftovers: Leftovers;
beforeEach(() => {
  world = new KernelContext().open();
  leftovers = new Leftovers();
});

async function run() {
  const wanted = { action: { kind: "shell" } as const, facts: NO_FACTS };
  const answer = await permit<"session.start", object>(world.permits, wanted, () => ({
    ...{ type: "session.start", sessionId: 0, kind: "shell", command: null, argv: null, pty: false },
  }));
  if (answer.kind !== "permit") throw new Error("it is not permitted");
  return answer;
}

test("what goes on has an end when the agent stops, without a status", async () => {
  await run();
  world.leave();
  leftovers.add(world.permits);
  await leftovers.settle("ssh_disabled");
  expect(unpaired(world.events)).toEqual([]);
  expect(world.events.at(-1)).toMatchObject({ type: "session.end", exitStatus: null, signal: null });
});

test("what ends in time says itself how", async () => {
  const shell = await run();
  world.leave();
  leftovers.add(world.permits);
  const settled = leftovers.settle("ssh_disabled");
  await shell.end({ exitStatus: 7, signal: null });
  await settled;
  expect(world.events.filter(({ type }) => type === "session.end")).toEqual([
    expect.objectContaining({ exitStatus: 7 }),
  ]);
});

test("a connection of which nothing runs is not waited for", async () => {
  leftovers.add(world.permits);
  await leftovers.settle("ssh_disabled");
  expect(world.events).toEqual([]);
});
