/** Clocks that differ: a little is tolerated, more is refused and named. Real processes under libfaketime. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import type { Lab, LabAgent, LabDevice } from "../support/lab.ts";
import { isRoot, type OsAccount } from "../support/os-accounts.ts";
import { openSetUp, type SetUp } from "../support/set-up.ts";

const LIBRARY = "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1";
const skewed = (offset: string): Record<string, string> => ({
  LD_PRELOAD: LIBRARY,
  FAKETIME: offset,
  FAKETIME_DONT_FAKE_MONOTONIC: "1",
});

describe.skipIf(!isRoot || !existsSync(LIBRARY))("a clock", () => {
  let setUp: SetUp;
  let lab: Lab;
  let account: OsAccount;
  let agent: LabAgent;
  let device: LabDevice;

  beforeAll(async () => {
    setUp = await openSetUp({ accounts: [["clock"]] });
    ({ lab, account, agent, device } = setUp);
  }, 120_000);

  afterAll(async () => {
    await setUp?.[Symbol.asyncDispose]();
  });

  const attempt = (env: Record<string, string> = {}) =>
    device.ssh([`${account.name}@web1`, "echo in"], { env });

  test.each(["+45s", "-45s"])("of the client that is off by %s does no harm", async (offset) => {
    expect(await attempt(skewed(offset))).toMatchObject({ exitCode: 0, stdout: "in\n" });
  });

  test.each(["+10m", "-10m"])("of the client that is off by %s is refused, and named", async (offset) => {
    const result = await attempt(skewed(offset));
    expect(result).toMatchObject({ exitCode: 255, stdout: "" });
    expect(result.stderr).toMatch(/clock/);
  });

  test.each([
    ["+10m", 600_000],
    ["-10m", -600_000],
  ])("of the machine that is off by %s lets nobody in, and status names it", async (offset, offsetMs) => {
    await agent.down();
    const up = ["agent", "up", "--foreground", "--state-dir", agent.stateDir];
    const child = Bun.spawn([lab.executable, ...up], {
      env: lab.env(skewed(offset)),
      stdin: "ignore",
      stdout: "ignore",
      stderr: "ignore",
    });
    try {
      const status = await lab.until("the link", async () => {
        const one = await agent.status().catch(() => undefined);
        return one?.management.connected === true && one.management.clockOffsetMs !== null ? one : undefined;
      });
      expect(Math.abs((status.management.clockOffsetMs ?? 0) - offsetMs)).toBeLessThan(10_000);
      expect(status.problems.join()).toMatch(offsetMs > 0 ? /clock is \d+ s ahead/ : /clock is \d+ s behind/);
      const result = await attempt();
      expect(result).toMatchObject({ exitCode: 255, stdout: "" });
      expect(result.stderr).toMatch(/clock/);
    } finally {
      child.kill("SIGTERM");
      await child.exited;
    }
    await agent.up();
    expect((await attempt()).exitCode).toBe(0);
  });
});
