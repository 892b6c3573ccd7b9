import { describe, expect, test } from "bun:test";
import { newConnectionMark } from "../../../src/agent/os/connection-mark.ts";
import { killMarkedTogether, type Mark, markOf, spareSession } from "../../../src/agent/os/processes.ts";
import { until } from "../../support/until.ts";

const uid = process.getuid?.() ?? 0;
/** No process has this number: it is above what the kernel gives. */
const NOBODY = 2 ** 30;

/** A process that sleeps, leads a session of its own, and has a mark of its own. */
function sleeper(command = "exec sleep 61"): { child: Bun.Subprocess; mark: Mark } {
  const connectionMark = newConnectionMark();
  const child = Bun.spawn(["/bin/sh", "-c", command], {
    env: { PATH: "/usr/bin:/bin", QF_CONNECTION_MARK: connectionMark },
    stdio: ["ignore", "ignore", "ignore"],
    detached: true,
  });
  return { child, mark: markOf({ pid: child.pid, uid, connectionMark }) };
}

describe("processes with marks", () => {
  test("of many that end at once are each counted for their own, and nobody else's are touched", async () => {
    const bystander = sleeper();
    const all = Array.from({ length: 20 }, () => sleeper());
    const counts = await Promise.all(all.map(({ mark }) => killMarkedTogether([mark])));
    expect(counts).toEqual(all.map(() => 1));
    expect(await Promise.all(all.map(({ child }) => child.exited.then(() => child.signalCode)))).toEqual(
      all.map(() => "SIGKILL"),
    );
    expect(bystander.child.exitCode ?? bystander.child.signalCode).toBeNull();
    expect(await killMarkedTogether([bystander.mark])).toBe(1);
    await bystander.child.exited;
  });

  test("count with those that descend from them, whatever session these are in", async () => {
    const one = sleeper("setsid sleep 62 & exec sleep 63");
    const other = sleeper();
    let counts: number[] = [];
    await until(async () => {
      counts = await Promise.all([one, other].map(({ mark }) => killMarkedTogether([mark])));
      return counts[0] === 0 && counts[1] === 0;
    });
    await Promise.all([one.child.exited, other.child.exited]);
    expect(counts).toEqual([0, 0]);
  });

  test.each([
    [
      "a number that was used again",
      (mark: Mark): Mark => ({ ...mark, startTicks: "1", connectionMark: "x" }),
    ],
    ["another user", (mark: Mark): Mark => ({ ...mark, pid: NOBODY, uid: uid + 1 })],
    [
      "a later start",
      (mark: Mark): Mark => ({ ...mark, pid: NOBODY, startTicks: String(Number(mark.startTicks) + 1) }),
    ],
  ])("are not found by a mark with %s", async (_name, change) => {
    const { child, mark } = sleeper();
    expect(await killMarkedTogether([change(mark)])).toBe(0);
    expect(child.signalCode).toBeNull();
    expect(await killMarkedTogether([mark])).toBe(1);
    await child.exited;
  });

  test("are spared in a session that is exempt, until it is so no more", async () => {
    const { child, mark } = sleeper();
    const spared = spareSession(child.pid);
    expect(await killMarkedTogether([mark])).toBe(0);
    spared();
    expect(await killMarkedTogether([mark])).toBe(1);
    await child.exited;
  });
});
