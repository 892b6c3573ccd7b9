/** `kill -9` at any moment loses no acknowledged write and no audit event; damage is named. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Lab, LabAgent, LabDevice } from "../support/lab.ts";
import { isRoot, type OsAccount } from "../support/os-accounts.ts";
import { openSetUp, type SetUp } from "../support/set-up.ts";

describe.skipIf(!isRoot)("durability", () => {
  let setUp: SetUp;
  let lab: Lab;
  let account: OsAccount;
  let agent: LabAgent;
  let device: LabDevice;

  beforeAll(async () => {
    setUp = await openSetUp({ accounts: [["dur"]] });
    ({ lab, account, agent, device } = setUp);
  }, 120_000);

  afterAll(async () => {
    await setUp?.[Symbol.asyncDispose]();
  });

  const run = (command: string) => device.ssh([`${account.name}@web1`, command]);

  async function sessionCommands(): Promise<string[]> {
    const events = await lab.events("limit=1000");
    return events
      .filter((event) => event.activity_code === "ssh.session.start")
      .map((event) => String((event.data as { command?: string } | undefined)?.command));
  }

  test("management killed in the middle of writes keeps every acknowledged one", async () => {
    const acknowledged: string[] = [];
    const writing = (async () => {
      for (let i = 0; i < 200; i++) {
        const id = await lab.createGroup(`Group ${i}`).catch(() => undefined);
        if (id === undefined) return;
        acknowledged.push(id);
      }
    })();
    await lab.until("some writes", async () => acknowledged.length > 20);
    await lab.management?.kill();
    await writing;
    await lab.serveManagement();
    const groups = await lab.api<{ id: string }[]>("GET", "/api/groups");
    const ids = new Set(groups.map((group) => group.id));
    expect(acknowledged.filter((id) => !ids.has(id))).toEqual([]);
  });

  test("the agent comes back by itself after management was away", async () => {
    await lab.until("the link", async () => (await agent.status()).management.connected, 40_000);
    expect((await run("echo back")).stdout).toBe("back\n");
  }, 60_000);

  test("an agent killed in the middle of a session loses no event that was stored", async () => {
    const child = device.spawn(["ssh", `${account.name}@web1`, "echo running; sleep 60"]);
    const reader = child.stdout.getReader();
    await reader.read();
    await agent.kill();
    await child.exited;
    await agent.up();
    await lab.until(
      "its event",
      async () => (await sessionCommands()).includes("echo running; sleep 60"),
      20_000,
    );
    expect((await run("echo again")).stdout).toBe("again\n");
    const events = await lab.events("limit=1000");
    expect(events.some((event) => event.activity_code === "agent.gap")).toBe(false);
  }, 60_000);

  test("what happens while management is away is told when it is back", async () => {
    await run("true");
    const child = device.spawn(["ssh", `${account.name}@web1`, "read line; echo $line"]);
    await lab.until("the session", async () => (await agent.status()).sshServer.sessions.length === 1);
    await lab.management?.kill();
    child.stdin.write("still here\n");
    await child.stdin.end();
    expect(await new Response(child.stdout).text()).toBe("still here\n");
    await lab.serveManagement();
    await lab.until(
      "the end of the session",
      async () => {
        const events = await lab.events("limit=50");
        return events.some((event) => event.activity_code === "ssh.session.end" && event.data !== undefined);
      },
      40_000,
    );
  }, 60_000);

  test("an agent started while management is away decides from its stored map", async () => {
    await agent.kill();
    await lab.management?.kill();
    await agent.up();
    const status = await agent.status();
    expect(status.management.connected).toBe(false);
    expect(status.management.mapVersion).toBeGreaterThan(0);
    await lab.serveManagement();
    await lab.until("the link", async () => (await agent.status()).management.connected, 40_000);
  }, 90_000);

  test("a damaged state file of the agent is named, set aside, and not silently replaced", async () => {
    await agent.down();
    const path = join(agent.stateDir, "device-key.json");
    const good = readFileSync(path);
    writeFileSync(path, "{ not json");
    const result = await agent.tryUp();
    expect(result.exitCode).toBe(1);
    expect(result.stderr).toContain(path);
    expect(result.stderr.trim().split("\n").length).toBeLessThanOrEqual(2);
    expect(readdirSync(agent.stateDir).some((name) => name.startsWith("device-key.json.damaged-"))).toBe(
      true,
    );
    writeFileSync(path, good, { mode: 0o600 });
    await agent.up();
  });

  test("a damaged stored map is named, set aside, and fetched again", async () => {
    await agent.down();
    writeFileSync(join(agent.stateDir, "map.json"), "garbage");
    await agent.up();
    expect(readdirSync(agent.stateDir).some((name) => name.startsWith("map.json.damaged-"))).toBe(true);
    expect((await run("echo mended")).stdout).toBe("mended\n");
  });

  test("a damaged database is named and left alone", async () => {
    await lab.management?.kill();
    const path = readdirSync(lab.dataDir).find((name) => /\.(db|sqlite3?)$/.test(name)) ?? "";
    const file = join(lab.dataDir, path);
    const good = readFileSync(file);
    writeFileSync(file, "this is no database, not at all".repeat(500));
    const result = await lab.qf([
      "management",
      "serve",
      "--data-dir",
      lab.dataDir,
      "--listen",
      "127.0.0.1:0",
    ]);
    expect(result.exitCode).toBe(1);
    expect(result.stderr).toContain(file);
    expect(readFileSync(file, "utf8")).toStartWith("this is no database");
    writeFileSync(file, good);
    await lab.serveManagement();
  });
});
