/** What `qf agent up` says in a line though it stops nothing: how long it lasts, and under which name. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { isSuffixed } from "../../src/cli/commands/agent-up.ts";
import { type Lab, LabAgent, openLab } from "../support/lab.ts";
import { isRoot } from "../support/os-accounts.ts";

test.each([
  ["web1", "web1-2", true],
  ["WEB1.example.com", "web1-3", true],
  ["web1", "web1", false],
  ["web1", "web1-blue", false],
  ["web", "web1-2", false],
  ["", "-2", false],
  ["web1", undefined, false],
])("asked for %p, got %p: with a number behind it is %p", (wanted, got, want) => {
  expect(isSuffixed(wanted, got)).toBe(want);
});

describe.skipIf(!isRoot)("an agent without systemd", () => {
  let lab: Lab;
  const agents: LabAgent[] = [];

  beforeAll(async () => {
    lab = await openLab();
  }, 120_000);

  afterAll(async () => {
    for (const agent of agents) await agent.down();
    await lab?.[Symbol.asyncDispose]();
  });

  const up = async (folder: string) => {
    const agent = new LabAgent(lab, folder);
    agents.push(agent);
    const key = await lab.createSetupKey([]);
    const result = await agent.tryUp(["--name", "twin", "--management-url", lab.url, "--setup-key", key]);
    return { agent, result };
  };

  test("says that it does not come back and where its log is, and that its name was taken", async () => {
    const first = await up("twin-a");
    expect(first.result.exitCode).toBe(0);
    expect(first.result.stderr).toContain("does not come back after a reboot");
    expect(first.result.stderr).toContain(`its log is ${first.agent.stateDir}/`);
    expect(first.result.stderr).not.toContain("was taken");
    const second = await up("twin-b");
    expect(second.result.stderr).toContain("its name was taken, so this machine is twin-2");
    // Said once: afterwards that is its name.
    await second.agent.down();
    const again = await second.agent.tryUp(["--name", "twin"]);
    expect(again.stderr).not.toContain("was taken");
  }, 120_000);
});
