import { expect, test } from "bun:test";
import {
  ConnectionState,
  STEPS,
  type StateName,
  type Step,
} from "../../../src/agent/ssh-server/connection-state.ts";
import { keepingLog } from "../../support/kernel-context.ts";

const STATES: readonly StateName[] = ["greeting", "authenticating", "deciding", "open", "ending", "closed"];
const STEP_NAMES: readonly Step[] = ["try", "prove", "retry", "admit", "end", "gone"];

/** Every step there is; every other is none. */
const WANTED: readonly (readonly [from: StateName, step: Step, to: StateName])[] = [
  ["greeting", "try", "authenticating"],
  ["greeting", "end", "ending"],
  ["greeting", "gone", "closed"],
  ["authenticating", "prove", "deciding"],
  ["authenticating", "end", "ending"],
  ["authenticating", "gone", "closed"],
  ["deciding", "retry", "authenticating"],
  ["deciding", "admit", "open"],
  ["deciding", "end", "ending"],
  ["deciding", "gone", "closed"],
  ["open", "end", "ending"],
  ["open", "gone", "closed"],
  ["ending", "gone", "closed"],
];

test.each(STATES.flatMap((from) => STEP_NAMES.map((step) => [from, step] as const)))(
  "from %s, %s leads where it should, or nowhere",
  (from, step) => {
    const wanted = WANTED.find(([state, taken]) => state === from && taken === step)?.[2] ?? null;
    expect(STEPS[from][step] ?? null).toBe(wanted);
  },
);

test("nobody is in without having been decided about", () => {
  const before = WANTED.filter(([, , to]) => to === "open").map(([from]) => from);
  expect(before).toEqual(["deciding"]);
  expect(WANTED.filter(([from, , to]) => from === "ending" && to !== "closed")).toEqual([]);
  expect(WANTED.filter(([from]) => from === "closed")).toEqual([]);
});

function aState(): { state: ConnectionState; lines: ReturnType<typeof keepingLog>["lines"] } {
  const { log, lines } = keepingLog();
  return { state: new ConnectionState("c".repeat(20), log), lines };
}

test("each transition is one line of the trace, with the connection's id", () => {
  const { state, lines } = aState();
  for (const step of ["try", "prove", "admit"] as const) expect(state.take(step)).toBe(true);
  expect(state.take("end", "map_stale")).toBe(true);
  expect(state.take("gone")).toBe(true);
  const connectionId = "c".repeat(20);
  expect(lines).toEqual(
    [
      { from: "greeting", to: "authenticating" },
      { from: "authenticating", to: "deciding" },
      { from: "deciding", to: "open" },
      { from: "open", to: "ending", reason: "map_stale" },
      { from: "ending", to: "closed" },
    ].map((step) => ({ level: "debug", message: "state", fields: { connectionId, ...step } })),
  );
});

test("what is no step changes nothing, and is no line", () => {
  const { state, lines } = aState();
  expect(state.take("admit")).toBe(false);
  expect(state.is("greeting")).toBe(true);
  expect(lines).toEqual([]);
});

test("the first reason to end is the one that counts", () => {
  const { state } = aState();
  expect([state.isOver, state.endReason]).toEqual([false, null]);
  expect(state.take("end", "session_killed")).toBe(true);
  expect(state.take("end", "map_stale")).toBe(false);
  expect([state.isOver, state.endReason]).toEqual([true, "session_killed"]);
});
