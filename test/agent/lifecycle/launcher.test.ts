import { expect, test } from "bun:test";
import { findLauncher } from "../../../src/agent/lifecycle/launcher.ts";

test.each([
  ["no service manager", {}],
  ["the launcher of another process, by its environment", { QF_LAUNCHER: "1" }],
])("a process started by %s has no launcher", (_, environment) => {
  expect(findLauncher(environment)).toBeNull();
});

test("a launcher that is our parent is there, and where nobody says so the service is not started again", async () => {
  const launcher = findLauncher({ QF_LAUNCHER: String(process.ppid) });
  expect(launcher?.isGone()).toBe(false);
  expect(await launcher?.isRestarted()).toBe(false);
});

test("a launcher that is gone is not signalled, since its number may be another's", async () => {
  const other = Bun.spawn(["sleep", "60"]);
  const launcher = findLauncher({ QF_LAUNCHER: String(other.pid) }, other.pid);
  expect(launcher?.isGone()).toBe(true);
  launcher?.letGo();
  expect(other.exitCode).toBeNull();
  expect(await launcher?.isWanted()).toBe(true);
  other.kill();
  expect(await other.exited).not.toBe(0);
});
