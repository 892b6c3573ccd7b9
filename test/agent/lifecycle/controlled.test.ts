import { expect, test } from "bun:test";
import { controlledOf } from "../../../src/agent/lifecycle/controlled.ts";
import { generateEd25519 } from "../../../src/base/ed25519.ts";
import { silentLog } from "../../../src/base/log.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { anId } from "../../support/policy.ts";

test("what the control socket asks is asked of the agent, and accounts of the system", async () => {
  const asked: string[] = [];
  const agent = {
    status: () => ({}) as never,
    apply: async () => void asked.push("apply"),
    stop: async () => void asked.push("stop"),
    succession: { expect: () => void asked.push("expect"), isExpecting: false, isFollowed: false, pids: [7] },
  };
  const enrolled = { peerId: anId("web1") } as never;
  const keys = { deviceKey: generateEd25519() } as never;
  const controlled = controlledOf(agent, enrolled, { clock: new FakeClock(), keys, log: silentLog });
  await controlled.apply({});
  controlled.down();
  controlled.expectSuccessor();
  expect(asked).toEqual(["apply", "stop", "expect"]);
  expect(controlled.pids()).toEqual([process.pid, 7]);
  expect(controlled.enrolled().peerId).toBe(anId("web1"));
  expect(await controlled.uidOf("root")).toBe(0);
  expect(await controlled.uidOf("nobody-by-this-name")).toBeNull();
});
