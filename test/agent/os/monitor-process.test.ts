import { describe, expect, test } from "bun:test";
import { openMonitorProcess } from "../../../src/agent/os/monitor-process.ts";
import { helperPath } from "../../../src/agent/os/session-helper.ts";
import { isRoot } from "../../support/os-accounts.ts";

const SESSION = {
  ...{ service: "qufabric-none", user: "root", uid: 0, gid: 0, remoteHost: "192.0.2.7" },
  ...{ terminal: null, hasModules: false, isSilent: true, command: null },
};

describe.each([
  ["the session helper", helperPath()],
  ["this executable", null],
] as const)("a monitor of %s", (_kind, path) => {
  test("ends when it is let go", async () => {
    const monitor = await openMonitorProcess(path);
    monitor.finish();
    await monitor.exited;
    expect(await monitor.next()).toBeNull();
    monitor.release();
  });

  test("ends when it is killed, and takes nothing more", async () => {
    const monitor = await openMonitorProcess(path);
    monitor.kill();
    await monitor.exited;
    expect(await monitor.next()).toBeNull();
    monitor.release();
  });

  test.skipIf(!isRoot)("refuses a session without its four descriptors", async () => {
    const monitor = await openMonitorProcess(path);
    await monitor.send({ kind: "session", session: SESSION }, []);
    expect(await monitor.next()).toMatchObject({ kind: "refused" });
    monitor.finish();
    await monitor.exited;
    monitor.release();
  });
});
