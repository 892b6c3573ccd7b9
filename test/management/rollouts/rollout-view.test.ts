import { expect, test } from "bun:test";
import type { RolloutRow } from "../../../src/management/db/tables/rollouts.ts";
import type { NamedMachine } from "../../../src/management/rollouts/rollout-machines.ts";
import { rolloutMachineViews, rolloutView } from "../../../src/management/rollouts/rollout-view.ts";
import { Rollout, RolloutMachine } from "../../../src/wire/rollout.ts";

const row: RolloutRow = {
  ...{ id: "rollout0000000000000", accountId: "account0000000000000", version: "1.2.0", groupId: null },
  ...{ stages: [10, 100], stage: 1, settledAt: null, pauseSeconds: 60, failuresMax: 0, state: "halted" },
  ...{ why: "by hand", createdAt: 1_700_000_000, endedAt: null },
};

function machine(name: string, change: Partial<NamedMachine> = {}, state?: "done" | "failed"): NamedMachine {
  const peerId = name.padEnd(20, "0");
  const step = { rolloutId: row.id, peerId, orderId: "order000000000000000", detail: "", orderedAt: 1 };
  const stored = state === undefined ? null : { ...step, state };
  const base = { peerId, name, version: "1.1.0", isConnected: true, isAllowed: true };
  return { ...base, step: stored, stored, ...change };
}

test("machines are counted by what became of them; those that have the release are no longer waited for", () => {
  const machines = [
    machine("a", {}, "done"),
    machine("b", {}, "failed"),
    machine("c"),
    machine("d", { isAllowed: false }),
    machine("e", { version: "1.2.0" }),
    machine("f", { version: "1.3.0", isAllowed: false }),
  ];
  const view = Rollout.parse(rolloutView(row, machines));
  expect(view).toMatchObject({ percent: 100, state: "halted", created_at: "2023-11-14T22:13:20.000Z" });
  expect(view.machines).toEqual({
    ...{ ordered: 0, working: 0, done: 1, failed: 1, refused: 0, waiting: 1, not_allowed: 1 },
  });
  const told = rolloutMachineViews(machines).map((one) => RolloutMachine.parse(one));
  expect(told.map(({ name, state }) => [name, state])).toEqual([
    ["a", "done"],
    ["b", "failed"],
  ]);
});
