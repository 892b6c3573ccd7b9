import { expect, test } from "bun:test";
import { countStates } from "../../../../src/dashboard/pages/overview/machine-states.ts";

test("machines are counted by their state, and devices are not", () => {
  const peer = (more: object) => ({ kind: "machine", connected: false, approval_required: false, ...more });
  const peers = [
    peer({ connected: true }),
    peer({ connected: true, blocked: true }),
    peer({ approval_required: true }),
    peer({}),
    peer({ kind: "device", connected: true }),
  ] as unknown as Parameters<typeof countStates>[0];
  expect([...countStates(peers)]).toEqual([
    ["connected", 1],
    ["offline", 1],
    ["waiting", 1],
    ["blocked", 1],
  ]);
});
