import { describe, expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { newConnectionMark } from "../../../src/agent/os/connection-mark.ts";
import { type Containment, createContainment, findCgroupRoot } from "../../../src/agent/os/containment.ts";
import { spawnAs } from "../../../src/agent/os/spawn.ts";
import { lookUpAccount } from "../../../src/agent/os/users.ts";
import { newId } from "../../../src/base/random.ts";
import { isRoot, OsAccount } from "../../support/os-accounts.ts";
import { alivePids } from "../../support/processes.ts";
import { until } from "../../support/until.ts";

/** Ignores what can be ignored, leaves its session, lets its parents die, and drops its environment. */
const ESCAPES = [
  ["a child that ignores signals", "(trap '' TERM HUP INT; sleep 50 & wait) & sleep 51"],
  ["a child in a session of its own", "setsid sleep 50 & sleep 51"],
  ["a daemon whose parents are gone", "(setsid setsid sleep 50 &) ; exit 0"],
  ["a daemon that also dropped its environment", "(env -i /usr/bin/setsid /bin/sleep 50 &) ; sleep 51"],
  ["nohup", "nohup sleep 50 >/dev/null 2>&1 & exit 0"],
] as const;

/**
 * Reaches no process: what it has to end is known by marks alone, or there would be nothing to tell them
 * apart.
 */
const DAEMON = "(setsid setsid sleep 50 &) ; exit 0";

const roots = [["a cgroup", findCgroupRoot()] as const, ["marks only", null] as const].filter(
  ([name, root]) => name === "marks only" || root !== null,
);

describe.skipIf(!isRoot)("a containment", () => {
  for (const [how, root] of roots) {
    test.each(ESCAPES)(`with ${how} ends %s`, async (_name, command) => {
      using account = new OsAccount("kill");
      using other = new OsAccount("spare");
      const bystander = await start(other.name, "exec sleep 52", createContainment(root, newId()));
      const containment = createContainment(root, newId());
      await start(account.name, command, containment);
      await until(() => alivePids(account).length > 0);
      await Bun.sleep(250);
      expect(alivePids(account).length).toBeGreaterThan(0);
      expect(await containment.killAll(5_000)).toBe(true);
      await until(() => alivePids(account).length === 0);
      expect(alivePids(other)).toEqual([bystander]);
    });
  }

  test("of marks only finds a daemon by the mark of its connection, and nobody else's of the same account", async () => {
    using account = new OsAccount("mark");
    const [one, other] = [createContainment(null, newId()), createContainment(null, newId())];
    await start(account.name, DAEMON, one);
    await until(() => alivePids(account).length === 1);
    const [ended] = alivePids(account);
    await start(account.name, DAEMON, other);
    await until(() => alivePids(account).length === 2);
    expect(await one.killAll(5_000)).toBe(true);
    await until(() => alivePids(account).length === 1);
    expect(alivePids(account)).not.toContain(ended ?? 0);
    expect(await other.killAll(5_000)).toBe(true);
    await until(() => alivePids(account).length === 0);
  });

  const nobody = { environment: {} };
  const MARKED = "exec sleep 59";
  const LEADERLESS = "sleep 59 & exit 0";

  test.each<
    [
      name: string,
      ofSameUser: boolean,
      command: string,
      environment: (mine: Containment) => Record<string, string>,
    ]
  >([
    ["another user's process that has copied the mark", false, MARKED, (mine) => mine.environment],
    ["a process that is older than the connection", true, MARKED, (mine) => mine.environment],
    ["another user's session under a number used again", false, LEADERLESS, () => ({})],
    [
      "another connection's session under a number used again",
      true,
      LEADERLESS,
      () => ({ QF_CONNECTION_MARK: newConnectionMark() }),
    ],
  ])("of marks only spares %s", async (_name, ofSameUser, command, environment) => {
    using account = new OsAccount("mine");
    using other = new OsAccount("other");
    const mine = createContainment(null, newId());
    const owner = ofSameUser ? account : other;
    const pid = await start(owner.name, command, { ...nobody, environment: environment(mine) });
    await Bun.sleep(100);
    await until(() => alivePids(owner).length === 1);
    const [spared] = alivePids(owner);
    if (command === LEADERLESS) await mine.add(pid, await uidOf(account));
    else await start(account.name, "exec sleep 60", mine);
    expect(await mine.killAll(5_000)).toBe(true);
    expect(alivePids(owner)).toContain(spared ?? 0);
  });

  test.each([
    ["without a mark", {}],
    ["with a mark that was made up", { QF_CONNECTION_MARK: "0".repeat(64) }],
  ])("of marks only ends what is left of a session whose leader is gone, %s", async (_name, environment) => {
    using account = new OsAccount("left");
    const containment = createContainment(null, newId());
    await start(account.name, LEADERLESS, { ...containment, environment });
    await until(() => alivePids(account).length === 1);
    expect(await containment.killAll(5_000)).toBe(true);
    await until(() => alivePids(account).length === 0);
  });

  test.each(roots)("with %s takes nothing in once all was killed, and leaves nothing", async (_how, root) => {
    using account = new OsAccount("late");
    const containment = createContainment(root, newId());
    await start(account.name, "exec sleep 54", containment);
    const late = start(account.name, "exec sleep 55", containment).catch(() => {});
    await containment.killAll(5_000);
    await late;
    await expect(start(account.name, "exec sleep 56", containment)).rejects.toThrow("is over");
    await until(() => alivePids(account).length === 0);
  });

  test("that is released leaves jobs alone, and its folder goes once they have", async () => {
    const root = findCgroupRoot();
    if (root === null) return;
    using account = new OsAccount("rel");
    const id = newId();
    const containment = createContainment(root, id);
    const pid = await start(account.name, "exec sleep 53", containment);
    containment.release();
    await Bun.sleep(100);
    expect(alivePids(account)).toEqual([pid]);
    expect(existsSync(`${root}/${id}`)).toBe(true);
    process.kill(pid, "SIGKILL");
    await until(() => !existsSync(`${root}/${id}`));
  });
});

test.skipIf(!isRoot || findCgroupRoot() === null)(
  "a folder that a job has kept goes when another connection ends, not only with the agent",
  async () => {
    const root = findCgroupRoot() ?? "";
    using account = new OsAccount("kept");
    const [kept, other] = [newId(), newId()];
    const once = (id: string) => createContainment(root, id, [0]);
    const containment = once(kept);
    const pid = await start(account.name, "exec sleep 57", containment);
    containment.release();
    await Bun.sleep(50);
    process.kill(pid, "SIGKILL");
    await until(() => alivePids(account).length === 0);
    const next = once(other);
    const nextPid = await start(account.name, "exec sleep 58", next);
    process.kill(nextPid, "SIGKILL");
    await until(() => alivePids(account).length === 0);
    await until(() => readFileSync(`${root}/${other}/cgroup.events`, "utf8").includes("populated 0"));
    expect(existsSync(`${root}/${kept}`)).toBe(true);
    next.release();
    await until(() => !existsSync(`${root}/${kept}`) && !existsSync(`${root}/${other}`));
  },
);

test.skipIf(!isRoot || findCgroupRoot() === null)(
  "it is prepared for often, and takes processes in",
  async () => {
    const root = findCgroupRoot() ?? "";
    using account = new OsAccount("prep");
    const id = newId();
    const containment = createContainment(root, id);
    for (const _time of [1, 2, 3]) containment.prepare();
    const pids = [await start(account.name, "exec sleep 59", containment)];
    containment.prepare();
    pids.push(await start(account.name, "exec sleep 60", containment));
    const contained = readFileSync(`${root}/${id}/cgroup.procs`, "utf8").trim().split("\n").map(Number);
    expect(contained.sort()).toEqual(pids.sort());
    expect(await containment.killAll(5_000)).toBe(true);
    containment.release();
  },
);

test("findCgroupRoot finds nothing where there is nothing", () => {
  expect(findCgroupRoot("proc /proc proc rw 0 0\n")).toBeNull();
  expect(findCgroupRoot("cgroup2 /no/such/mount cgroup2 rw 0 0\n")).toBeNull();
});

async function start(
  name: string,
  command: string,
  { add, environment }: Pick<Containment, "environment"> & Partial<Pick<Containment, "add">>,
): Promise<number> {
  const account = await lookUpAccount(name, 0);
  if (account === null) throw new Error("no account");
  const child = await spawnAs({
    pty: null,
    contain: async (pid) => add?.(pid, account.uid),
    spec: {
      ...{
        user: name,
        uid: account.uid,
        gid: account.gid,
        drop: true,
        tty: false,
        home: "/",
        file: "/bin/sh",
      },
      argv: ["sh", "-c", command],
      env: { PATH: "/usr/bin:/bin", ...environment },
    },
  });
  for (const end of [child.stdin, child.stdout, child.stderr]) end?.close();
  return child.pid;
}

async function uidOf(account: OsAccount): Promise<number> {
  return (await lookUpAccount(account.name, 0))?.uid ?? -1;
}
