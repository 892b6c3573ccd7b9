/** Two managements are started anew one after the other, under a thousand agents that are linked to them. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { systemClock } from "../../src/base/clock.ts";
import { silentLog } from "../../src/base/log.ts";
import { openPostgresStore } from "../../src/management/db/postgres/store.ts";
import { type Agents, startAgents } from "../bench/agents.ts";
import { seedStore } from "../bench/agents-account.ts";
import { hasPostgres } from "../support/postgres.ts";
import { type LabManagement, openTwoManagements, type TwoManagements } from "../support/two-managements.ts";

const AGENTS = 1_000;

describe.skipIf(!hasPostgres)("a rolling restart of two managements", () => {
  let two: TwoManagements;
  let processes: LabManagement[];
  let agents: Agents;

  beforeAll(async () => {
    two = await openTwoManagements();
    const { lab, balancer, environment } = two;
    const databaseUrl = environment.QF_DATABASE_URL ?? "";
    const store = await openPostgresStore({ databaseUrl, clock: systemClock, log: silentLog });
    const machines = await seedStore(store, lab.accountId, AGENTS);
    await store.close();
    processes = await Promise.all([two.serve("first"), two.serve("second")]);
    balancer.backends = processes.map(({ port }) => port);
    agents = startAgents(lab.root, lab.url, machines);
  }, 120_000);

  afterAll(async () => {
    await agents?.stop();
    await two?.[Symbol.asyncDispose]();
  });

  // How many are asked at once who they are is bounded at management, as sync/handshake.test.ts shows. It
  // cannot be counted here: an agent is let in once the answer to another was sent, before that one has it.
  test("sends nobody a map that it has, and is no stampede: few attempts", async () => {
    await agents.ask({ do: "start", withinMs: 500 });
    await agents.ready(AGENTS);
    expect(await agents.ask({ do: "deltas" })).toMatchObject({ maps: AGENTS });
    for (const [i, name] of ["first", "second"].entries()) {
      const leaving = processes[i];
      two.balancer.backends = processes.flatMap(({ port }) => (port === leaving?.port ? [] : [port]));
      leaving?.child.kill("SIGTERM");
      await leaving?.child.exited;
      // The first had about half of them; after that all were at the second.
      const moved = i === 0 ? AGENTS * 0.4 : AGENTS;
      const isOver = async () => {
        const { ready, currents } = await agents.ask({ do: "counts" });
        return ready === AGENTS && currents >= moved;
      };
      await two.lab.until("all to be back", isOver, 100_000);
      const said = await agents.ask({ do: "deltas" });
      expect(said).toMatchObject({ ready: AGENTS, maps: 0, deltas: 0, needMaps: 0 });
      // The slower management is, the more it turns away, at a pace that it sets (`sync/retry-pacing.ts`).
      // Whoever comes back is let in or was told when to come: hardly anybody tries by themself.
      expect(said.attempts - said.turnedAway).toBeLessThan(said.currents * 1.5);
      const again = await two.serve(name);
      processes[i] = again;
      two.balancer.backends = processes.map(({ port }) => port);
    }
    const [, second] = processes;
    if (second === undefined) throw new Error("there are two");
    // All of them hear of a change, wherever they are.
    const [account] = await two.at<{ settings: object }[]>(second, "GET", "/api/accounts");
    const settings = { ...account?.settings, max_stale_seconds: 3_333 };
    await two.at(second, "PUT", `/api/accounts/${two.lab.accountId}`, { settings });
    expect(await agents.applied(AGENTS)).toHaveLength(AGENTS);
  }, 240_000);
});
