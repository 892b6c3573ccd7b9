import { expect, test } from "bun:test";
import { isInState, machineTermsOf } from "../../../src/dashboard/terms/machine-terms.ts";

type Peer = Parameters<typeof isInState>[0];

const NOW = Date.parse("2026-11-30T12:00:00Z");
const peer = (more: object): Peer =>
  ({ connected: false, approval_required: false, last_seen: "2026-10-01T00:00:00Z", ...more }) as Peer;

test("terms of an address are kept, and what is none is left out", () => {
  expect(machineTermsOf({ q: "web", state: "offline" })).toEqual({ q: "web", state: "offline" });
  expect(machineTermsOf({ q: "", state: "asleep", page: 2 })).toEqual({});
});

test.each<[more: object, states: string[]]>([
  [{ connected: true }, ["connected"]],
  [{}, ["offline", "lost"]],
  [{ last_seen: "2026-11-29T00:00:00Z" }, ["offline"]],
  [{ approval_required: true, connected: true }, ["waiting"]],
  [{ blocked: true, approval_required: true, connected: true }, ["blocked"]],
])("a machine that is %j is among %j", (more, states) => {
  const all = ["connected", "offline", "waiting", "blocked", "lost"] as const;
  expect<string[]>(all.filter((state) => isInState(peer(more), state, NOW))).toEqual(states);
  expect(isInState(peer(more), undefined, NOW)).toBe(true);
});
