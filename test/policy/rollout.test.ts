import { describe, expect, test } from "bun:test";
import {
  planRollout,
  RETURN_SECONDS_MAX,
  type RolloutMachine,
  type RolloutTerms,
} from "../../src/policy/rollout.ts";

const NOW = 1_000_000;
const [OLD, NEW] = ["1.1.0", "1.2.0"];
const terms: RolloutTerms = {
  ...{ version: NEW, stages: [10, 50, 100], stage: 0, settledAt: null },
  ...{ pauseSeconds: 600, failuresMax: 0, createdAt: NOW },
};
const nothing = { settle: [], order: [], advances: false, end: null };

type Change = Partial<Omit<RolloutMachine, "peerId" | "step">> & {
  readonly state?: NonNullable<RolloutMachine["step"]>["state"];
  readonly orderedAt?: number;
};

/** Machines of `counts[i]` each time as `changes[i]` says; connected, allowed and older otherwise. */
function machines(...groups: readonly (readonly [number, Change])[]): RolloutMachine[] {
  return groups
    .flatMap(([many, change]) => Array.from({ length: many }, () => change))
    .map(({ state, orderedAt = NOW, ...change }, i) => ({
      ...{ peerId: `peer${String(i).padStart(16, "0")}`, version: OLD, isConnected: true, isAllowed: true },
      step: state === undefined ? null : { state, orderedAt },
      ...change,
    }));
}

const done: Change = { state: "done", version: NEW };
const plan = (all: readonly RolloutMachine[], change: Partial<RolloutTerms> = {}, now = NOW) =>
  planRollout({ ...terms, ...change }, all, now);

describe("who is told next", () => {
  test.each<[string, RolloutMachine[], Partial<RolloutTerms>, number]>([
    ["ten of a hundred at first", machines([100, {}]), {}, 10],
    ["one of three at first", machines([3, {}]), {}, 1],
    ["half of all in the second stage", machines([10, done], [90, {}]), { stage: 1 }, 32],
    ["no more than can fail at once", machines([30, { state: "working" }], [70, {}]), { stage: 2 }, 2],
    ["the rest of a stage", machines([2, { state: "working" }], [18, {}]), { stage: 1 }, 8],
    ["nobody whose root does not allow it", machines([20, { isAllowed: false }]), {}, 0],
    ["nobody who is not here", machines([20, { isConnected: false }]), {}, 0],
    ["nobody who has it already", machines([20, { version: NEW }]), {}, 0],
    ["nobody who has a newer one", machines([20, { version: "1.3.0" }]), {}, 0],
    ["nobody twice", machines([1, { state: "ordered" }], [4, {}]), {}, 0],
    ["nobody whose root refused", machines([1, { state: "refused" }], [4, {}]), { stages: [20, 100] }, 0],
    ["those who came late, in the last stage", machines([4, done], [1, {}]), { stage: 2 }, 1],
  ])("%s", (_what, all, change, want) => {
    const { order } = plan(all, change);
    expect(order).toHaveLength(want);
    const free = all.filter(({ step, isConnected, isAllowed }) => step === null && isConnected && isAllowed);
    expect(order).toEqual(free.slice(0, want).map(({ peerId }) => peerId));
  });
});

describe("what becomes of a machine", () => {
  test.each<[string, Change, number, string[]]>([
    ["is not known while it works", { state: "working" }, NOW + RETURN_SECONDS_MAX, []],
    ["is done once it is here with the release", { state: "working", version: NEW }, NOW, ["done"]],
    ["is done with a newer one", { state: "ordered", version: "1.3.0" }, NOW, ["done"]],
    ["is not known before it is here", { state: "working", version: NEW, isConnected: false }, NOW, []],
    ["is a failure if it does not come back", { state: "working" }, NOW + RETURN_SECONDS_MAX + 1, ["failed"]],
    ["is a failure if it never answered", { state: "ordered" }, NOW + RETURN_SECONDS_MAX + 1, ["failed"]],
    ["is as it was once it is over", { state: "failed" }, NOW + RETURN_SECONDS_MAX + 1, []],
  ])("%s", (_what, change, now, want) => {
    expect(plan(machines([1, change]), { failuresMax: 9 }, now).settle.map(({ state }) => state)).toEqual(
      want as ("done" | "failed")[],
    );
  });
});

describe("a stage", () => {
  const settled = machines([10, done], [90, {}]);

  test("is watched once its machines are back, and then the next begins", () => {
    expect(plan(settled)).toEqual({ ...nothing, settledAt: NOW });
    expect(plan(settled, { settledAt: NOW }, NOW + 599)).toEqual(nothing);
    expect(plan(settled, { settledAt: NOW }, NOW + 600)).toEqual({
      ...nothing,
      advances: true,
      settledAt: null,
    });
  });

  test("goes on while a machine of it is under way", () => {
    const all = machines([9, done], [1, { state: "working" }], [90, {}]);
    expect(plan(all, { settledAt: NOW }, NOW + 600)).toEqual(nothing);
  });

  test("waits for machines that are away for a while, and then the rollout halts", () => {
    const all = machines([9, done], [1, { ...done, isConnected: false }], [90, {}]);
    expect(plan(all, { settledAt: NOW }, NOW + 1_199)).toEqual(nothing);
    expect(plan(all, { settledAt: NOW }, NOW + 1_200).end?.state).toBe("halted");
    const allowed = plan(all, { settledAt: NOW, failuresMax: 1 }, NOW + 600);
    expect(allowed.advances).toBe(true);
  });

  test("does not begin with nobody here: the first stage is the one that tries it", () => {
    expect(plan(machines([9, { isConnected: false }]), { settledAt: NOW }, NOW + 9_999)).toEqual(nothing);
  });
});

describe("a rollout", () => {
  test("halts with the first failure, and tells nobody else", () => {
    const all = machines([1, { state: "failed" }], [99, {}]);
    expect(plan(all)).toMatchObject({ order: [], end: { state: "halted" } });
    expect(plan(all, { failuresMax: 1 })).toMatchObject({ end: null });
    expect(plan(all, { failuresMax: 1 }).order).toHaveLength(9);
  });

  test("halts in the same look that finds the failure", () => {
    const all = machines([1, { state: "working" }], [99, {}]);
    const found = plan(all, {}, NOW + RETURN_SECONDS_MAX + 1);
    expect(found).toMatchObject({ settle: [{ state: "failed" }], order: [], end: { state: "halted" } });
  });

  test("is finished when nobody is left, after the pause", () => {
    const all = machines([5, done], [3, { isAllowed: false }]);
    expect(plan(all, { stage: 2 })).toEqual({ ...nothing, settledAt: NOW });
    expect(plan(all, { stage: 2, settledAt: NOW }, NOW + 600).end).toEqual({ state: "finished", why: "" });
  });

  test("waits in its last stage for those who are not here, and not for ever", () => {
    const all = machines([5, done], [3, { isConnected: false }]);
    expect(plan(all, { stage: 2, settledAt: NOW }, NOW + 86_400)).toEqual(nothing);
    expect(plan(all, { stage: 2 }, NOW + 15 * 86_400).end?.state).toBe("finished");
  });
});
