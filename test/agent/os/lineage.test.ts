/** Whose processes run for a connection, by what they cannot easily shed. */
import { expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { createContainment, findCgroupRoot } from "../../../src/agent/os/containment.ts";
import { isOfAnyConnection } from "../../../src/agent/os/lineage.ts";
import { isRoot } from "../../support/os-accounts.ts";
import { until } from "../../support/until.ts";

/** The number of a process that nobody has started, as one at the console. */
const ELSEWHERE = 2 ** 22 + 1;
const parentOf = process.ppid;

async function withChild(env: Record<string, string>, look: (pid: number) => unknown): Promise<void> {
  const child = Bun.spawn(["sleep", "60"], { env });
  try {
    // Until exec has happened, its environment is ours.
    await until("exec", () => readFileSync(`/proc/${child.pid}/comm`, "utf8") === "sleep\n");
    await look(child.pid);
  } finally {
    child.kill();
    await child.exited;
  }
}

test("one that nobody of ours has started is of no connection", () => {
  expect(isOfAnyConnection(process.pid, [ELSEWHERE])).toBe(false);
  expect(isOfAnyConnection(parentOf, [process.pid])).toBe(false);
});

test("what descends from the agent is of a connection, itself and at any depth", async () => {
  expect(isOfAnyConnection(process.pid, [process.pid])).toBe(true);
  await withChild({}, (pid) => {
    expect(isOfAnyConnection(pid, [process.pid])).toBe(true);
    expect(isOfAnyConnection(pid, [parentOf])).toBe(true);
    expect(isOfAnyConnection(pid, [ELSEWHERE])).toBe(false);
  });
});

test("a mark in the environment tells, also one that stands behind others", async () => {
  await withChild({ A: "1", QF_CONNECTION_MARK: "x" }, (pid) => {
    expect(isOfAnyConnection(pid, [ELSEWHERE])).toBe(true);
  });
  await withChild({ NOT_QF_CONNECTION_MARK: "x" }, (pid) => {
    expect(isOfAnyConnection(pid, [ELSEWHERE])).toBe(false);
  });
});

test("of one that is gone, or in a namespace we do not see, nobody can tell", () => {
  expect(existsSync(`/proc/${ELSEWHERE}`)).toBe(false);
  expect(isOfAnyConnection(ELSEWHERE, [process.pid])).toBe(true);
  expect(isOfAnyConnection(0, [process.pid])).toBe(true);
});

const root = isRoot ? findCgroupRoot() : null;
test.skipIf(root === null)("a control group of a connection tells, with an empty environment", async () => {
  const containment = createContainment(root, `lineage-${process.pid}`, [0]);
  await withChild({}, async (pid) => {
    await containment.add(pid, 0);
    expect(isOfAnyConnection(pid, [ELSEWHERE])).toBe(true);
    await containment.killAll(1_000);
  });
  containment.release();
});
