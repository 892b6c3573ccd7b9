/**
 * An agent that was away, however long and wherever it comes back, is told what it lacks and no more, and
 * then has the very map that one without any would be given.
 */
import { expect, test } from "bun:test";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Lab, type LabAgent, openLab, policyBody } from "../support/lab.ts";
import { hasPostgres } from "../support/postgres.ts";
import { openTwoManagements } from "../support/two-managements.ts";

type Stored = Record<"rules" | "users" | "peers", Record<string, Record<string, unknown>>> & {
  readonly version: number;
};

test("an agent that was stopped while people and policies changed and management was started anew gets a delta", async () => {
  await using lab = await openLab();
  const { agent, servers, ada, bob } = await aMachineWithPeople(lab);
  expect(lastLink(agent)).toBe("whole");
  const before = storedMap(agent);
  await agent.down();
  await lab.setGroups(ada, []);
  await lab.setGroups(bob, [await lab.createGroup("Others")]);
  await lab.api("POST", "/api/policies", {
    ...policyBody("both ways", [servers], [servers], {
      protocol: "tcp",
      ports: ["443"],
      bidirectional: true,
    }),
  });
  await restart(lab);
  expect(await comeBack(agent)).toBe("delta");
  const after = storedMap(agent);
  expect(Object.keys(after.rules).length).toBeGreaterThan(Object.keys(before.rules).length);
  expect(Object.keys(after.users).length).toBeLessThan(Object.keys(before.users).length);
  expect(after).toEqual(await freshMap(agent));

  // Nothing has changed since: there is nothing to send.
  await agent.down();
  await restart(lab);
  expect(await comeBack(agent)).toBe("current");
}, 120_000);

test("an agent whose stored map is not what it was given gets the whole one", async () => {
  await using lab = await openLab();
  const { agent, bob, devs } = await aMachineWithPeople(lab);
  for (const isChanged of [false, true]) {
    await agent.down();
    await lab.setGroups(bob, isChanged ? [] : [devs]);
    forge(agent, (map) => {
      for (const rule of Object.values(map.rules)) rule.authorizedGroups = {};
    });
    await restart(lab);
    expect(await comeBack(agent)).toBe("whole");
    expect(Object.values(storedMap(agent).rules)[0]?.authorizedGroups).toEqual({ [devs]: ["deploy"] });
  }
  // One who also lies about its number has no newer map for it, and nothing stays of what it had.
  await agent.down();
  await lab.setGroups(bob, [devs]);
  forge(agent, (map) => {
    Object.assign(map, { version: map.version - 1 });
    for (const rule of Object.values(map.rules)) rule.authorizedGroups = {};
  });
  await restart(lab);
  await comeBack(agent);
  expect(storedMap(agent)).toEqual(await freshMap(agent));
}, 120_000);

test.skipIf(!hasPostgres)(
  "an agent that comes back at another process on the same PostgreSQL gets a delta there",
  async () => {
    await using two = await openTwoManagements();
    const { lab, balancer } = two;
    const [first, second] = await Promise.all([two.serve("first"), two.serve("second")]);
    balancer.backends = [first.port];
    const { agent, ada, bob, devs } = await aMachineWithPeople(lab);

    await agent.down();
    balancer.backends = [second.port];
    await lab.setGroups(ada, []);
    expect(await comeBack(agent)).toBe("delta");
    expect(Object.keys(storedMap(agent).users)).not.toContain(ada.id);

    // It runs on, and moves because the process that it was at dies; the change comes in between.
    await agent.down();
    balancer.backends = [first.port];
    expect(await comeBack(agent)).toBe("current");
    balancer.backends = [];
    first.child.kill("SIGKILL");
    await first.child.exited;
    const groups = { role: "user", auto_groups: [], is_blocked: false };
    await two.at(second, "PUT", `/api/users/${bob.id}`, groups);
    await two.at(second, "PUT", `/api/users/${ada.id}`, { ...groups, auto_groups: [devs] });
    const links = linksOf(agent).length;
    balancer.backends = [second.port];
    await lab.until("the link", async () => linksOf(agent).length > links, 60_000);
    expect(lastLink(agent)).toBe("delta");
    expect(storedMap(agent)).toEqual(await freshMap(agent));
  },
  180_000,
);

async function aMachineWithPeople(lab: Lab) {
  const devs = await lab.createGroup("Developers");
  const servers = await lab.createGroup("Servers");
  const [ada, bob] = [
    await lab.createPerson("ada@example.com", [devs]),
    await lab.createPerson("bob@example.com", [devs]),
  ];
  await lab.createPolicy("devs", [devs], [servers], { authorized_groups: { [devs]: ["deploy"] } });
  const agent = await lab.startAgent("web1", { groups: [servers] });
  return { agent, devs, servers, ada, bob };
}

async function restart(lab: Lab): Promise<void> {
  await lab.management?.stop();
  await lab.serveManagement();
}

/** Starts the agent again. Resolves with how its map came. */
async function comeBack(agent: LabAgent): Promise<string | undefined> {
  const before = linksOf(agent).length;
  await agent.up();
  await agent.lab.until("the link", async () => linksOf(agent).length > before, 30_000);
  return lastLink(agent);
}

/** The map that is given to the machine when it has none. */
async function freshMap(agent: LabAgent): Promise<Stored> {
  await agent.down();
  for (const file of ["map.json", "confirmed.json"]) rmSync(join(agent.stateDir, file));
  expect(await comeBack(agent)).toBe("whole");
  return storedMap(agent);
}

function storedMap(agent: LabAgent): Stored {
  return JSON.parse(readFileSync(join(agent.stateDir, "map.json"), "utf8")).map;
}

/** Changes what is on disk, as somebody would who may write there. */
function forge(agent: LabAgent, change: (map: Stored) => void): void {
  const path = join(agent.stateDir, "map.json");
  const stored = JSON.parse(readFileSync(path, "utf8"));
  change(stored.map);
  writeFileSync(path, JSON.stringify(stored));
}

/** How the map came on each of its links so far. */
function linksOf(agent: LabAgent): string[] {
  return agent
    .log()
    .split("\n")
    .filter((line) => line.includes("the link to management is up"))
    .flatMap((line) => /"map":"(\w+)"/.exec(line)?.[1] ?? []);
}

function lastLink(agent: LabAgent): string | undefined {
  return linksOf(agent).at(-1);
}
