/**
 * Agent and management killed again and again, at moments that nobody chose: while they start, write, and
 * serve sessions. `make test-kills KILLS=200` goes on for longer.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { processesOn } from "../support/interrupt.ts";
import type { Lab, LabAgent, LabDevice } from "../support/lab.ts";
import { isRoot, type OsAccount } from "../support/os-accounts.ts";
import { openSetUp, type SetUp } from "../support/set-up.ts";

const KILLS = Number(process.env.QF_KILLS ?? 4);
const WAIT_MS_MAX = 60_000;

describe.skipIf(!isRoot)("agent and management that are killed again and again", () => {
  let setUp: SetUp;
  let lab: Lab;
  let account: OsAccount;
  let agent: LabAgent;
  let device: LabDevice;

  beforeAll(async () => {
    setUp = await openSetUp({ accounts: [["kill"]] });
    ({ lab, account, agent, device } = setUp);
  }, 240_000);
  afterAll(async () => {
    await setUp?.[Symbol.asyncDispose]();
  });

  const agentProcesses = () => processesOn(agent.stateDir);
  const killAgent = (): void => {
    for (const pid of agentProcesses()) {
      try {
        process.kill(pid, "SIGKILL");
      } catch {
        // It has ended by itself.
      }
    }
  };
  const login = async () => {
    const { stdout } = await device.ssh([`${account.name}@web1`, "echo in"]);
    return stdout === "in\n";
  };

  /** One of the agent and management, while it serves or while it starts; both are up again afterwards. */
  async function killSomething(round: number): Promise<void> {
    const session = device.spawn(["ssh", `${account.name}@web1`, "cat"]);
    const writing = lab.createGroup(`Group ${round}`).catch(() => undefined);
    await Bun.sleep(Math.random() * 400);
    const isAgent = round % 2 === 0;
    if (isAgent) killAgent();
    else await lab.management?.kill();
    if (isAgent && round % 4 === 0) {
      // Once more, while it starts.
      const starting = agent.tryUp();
      await Bun.sleep(Math.random() * 600);
      killAgent();
      await starting;
    }
    session.kill();
    await Promise.all([session.exited, writing]);
    if (isAgent) {
      await lab.until("the agent", async () => (await agent.tryUp()).exitCode === 0, WAIT_MS_MAX);
    } else await lab.serveManagement();
    await lab.until("the link", async () => (await agent.status()).management.connected, WAIT_MS_MAX);
    await lab.until("a login", login, WAIT_MS_MAX);
  }

  test(
    `comes back ${KILLS} times, with every state file whole`,
    async () => {
      for (let round = 0; round < KILLS; round++) {
        await killSomething(round);
        for (const folder of [agent.stateDir, join(agent.stateDir, "public")]) {
          for (const name of readdirSync(folder).filter((one) => one.endsWith(".json"))) {
            expect(() => JSON.parse(readFileSync(join(folder, name), "utf8"))).not.toThrow();
          }
        }
      }
    },
    KILLS * 120_000,
  );

  test("nothing of it is left: no part of a file, no session, no second agent, no gap in the log", async () => {
    const names = readdirSync(agent.stateDir, { recursive: true, encoding: "utf8" });
    expect(names.filter((name) => /\.tmp$|damaged/.test(name))).toEqual([]);
    const { sshServer, pid } = await agent.status();
    expect(sshServer.sessions).toEqual([]);
    const agents = agentProcesses().filter((one) => {
      const words = readFileSync(`/proc/${one}/cmdline`, "utf8").split("\0");
      return words.includes("--foreground");
    });
    expect(agents).toEqual([pid]);
    const events = await lab.events("limit=1000");
    expect(events.filter(({ activity_code }) => activity_code === "agent.gap")).toEqual([]);
    await lab.until(
      "no live session",
      async () => (await lab.api<unknown[]>("GET", "/api/sessions?state=live")).length === 0,
      WAIT_MS_MAX,
    );
  }, 120_000);
});
