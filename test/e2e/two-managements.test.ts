/** Two management processes on one PostgreSQL, behind a load balancer, are one service. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { join } from "node:path";
import type { Session } from "../../src/wire/session.ts";
import type { Lab, LabAgent, LabDevice } from "../support/lab.ts";
import { isRoot, type OsAccount } from "../support/os-accounts.ts";
import { hasPostgres } from "../support/postgres.ts";
import { openSetUp, type SetUp } from "../support/set-up.ts";
import { type LabManagement, openTwoManagements, type TwoManagements } from "../support/two-managements.ts";

type Told = Awaited<ReturnType<Lab["events"]>>[number];

describe.skipIf(!hasPostgres || !isRoot)("two managements on one PostgreSQL", () => {
  let two: TwoManagements;
  let setUp: SetUp;
  let lab: Lab;
  let account: OsAccount;
  let first: LabManagement;
  let second: LabManagement;
  let agent: LabAgent;
  let device: LabDevice;

  beforeAll(async () => {
    two = await openTwoManagements();
    lab = two.lab;
    [first, second] = await Promise.all([two.serve("first"), two.serve("second")]);
    two.balancer.backends = [first.port];
    setUp = await openSetUp({ lab, accounts: [["two"]], login: false });
    ({ account, agent, device } = setUp);
    two.balancer.backends = [second.port];
    await device.login();
  }, 120_000);

  afterAll(async () => {
    await setUp?.[Symbol.asyncDispose]();
    await two?.[Symbol.asyncDispose]();
  });

  test("an agent at the first gets what is changed at the second, which sees it connected", async () => {
    const peers = await two.at<{ name: string; connected: boolean }[]>(second, "GET", "/api/peers");
    expect(peers.find(({ name }) => name === "web1")?.connected).toBe(true);
    // The person signed in at the second; the machine, at the first, has to know the device.
    const result = await device.ssh([`${account.name}@web1`, "echo hello"]);
    expect(result).toMatchObject({ exitCode: 0, stdout: "hello\n" });
  }, 60_000);

  test("a session of a machine at the first is listed at the second, and ended there with a reason", async () => {
    const shell = device.terminal(["ssh", `${account.name}@web1`]);
    await shell.expect(/[$#] /);
    const live = await lab.until("the session", async () => {
      const sessions = await two.at<Session[]>(second, "GET", "/api/sessions?state=live");
      return sessions.find(({ running }) => running.includes("<interactive shell>"));
    });
    const path = `/api/sessions/${live.id}/kill`;
    const killed = await two.at<Session>(second, "POST", path, { reason: "from the other one" });
    expect(killed).toMatchObject({ id: live.id, state: "ended", end_reason: "session_killed" });
    await shell.expect(/ended this session: from the other one/);
    expect(await shell.end()).toBe(255);
  }, 60_000);

  test("a one-off key used at both at once enrols exactly one machine", async () => {
    const setupKey = await lab.createSetupKey([], "one-off");
    two.balancer.backends = [first.port, second.port];
    const tried = await Promise.allSettled([
      lab.startAgent("db1", { setupKey }),
      lab.startAgent("db2", { setupKey }),
    ]);
    expect(tried.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
  }, 60_000);

  test("killing one moves its agents to the other within 10 s, and no audit event is lost", async () => {
    two.balancer.backends = [second.port];
    const ran: string[] = [];
    for (let i = 0; i < 3; i++) {
      const command = `echo before ${i}`;
      if ((await device.ssh([`${account.name}@web1`, command])).exitCode === 0) ran.push(command);
    }
    // People go on meanwhile, so that the machine has something to tell when there is nobody to hear it.
    let isOver = false;
    const working = (async () => {
      for (let i = 0; !isOver; i++) {
        const command = `echo during ${i}`;
        const { exitCode, stdout } = await device.ssh([`${account.name}@web1`, command]);
        if (exitCode === 0 && stdout === `during ${i}\n`) ran.push(command);
      }
    })();
    const linksSoFar = () => agent.log().split("the link to management is up").length - 1;
    const links = linksSoFar();
    await lab.until("work under way", async () => ran.length > 3);
    first.child.kill("SIGKILL");
    const beganMs = performance.now();
    await first.child.exited;
    await lab.until("the next link", async () => linksSoFar() > links, 10_000);
    await lab.until("it to stay", async () => (await agent.status()).management.connected, 10_000);
    expect(performance.now() - beganMs).toBeLessThan(10_000);
    isOver = true;
    await working;
    const result = await device.ssh([`${account.name}@web1`, "echo after"]);
    expect(result).toMatchObject({ exitCode: 0, stdout: "after\n" });
    ran.push("echo after");
    expect(ran.length).toBeGreaterThan(4);
    const startsOf = (events: readonly Told[], command: string) =>
      events.filter(
        ({ activity_code, data }) =>
          activity_code === "ssh.session.start" && (data as { command?: string }).command === command,
      ).length;
    await lab.until("its events", async () => {
      const events = await lab.events("limit=1000");
      const ends = events.filter(({ activity_code }) => activity_code === "ssh.session.end").length;
      return ends >= ran.length && ran.every((command) => startsOf(events, command) > 0);
    });
    const events = await lab.events("limit=1000");
    // Each once, although what the first had not acknowledged was sent again to the second.
    expect(ran.filter((command) => startsOf(events, command) !== 1)).toEqual([]);
    expect(events.some(({ activity_code }) => activity_code === "agent.gap")).toBe(false);
  }, 60_000);

  test("no password is in the argument list or the log, whatever the URL", async () => {
    const url = two.environment.QF_DATABASE_URL?.replace("qf@", "qf:not-to-be-seen@") ?? "";
    const args = ["management", "serve", "--data-dir", join(lab.root, "third"), "--listen", "127.0.0.1:0"];
    const onLine = await lab.qf([...args, "--database-url", url]);
    expect(onLine.exitCode).toBe(2);
    const wrong = await lab.qf(args, { env: { QF_DATABASE_URL: url.replace("/qf_", "/none_") } });
    expect(wrong.exitCode).toBe(1);
    expect(wrong.stderr).toContain("qf: error: there is no such database");
    expect(onLine.stderr + wrong.stderr).not.toContain("not-to-be-seen");
  }, 30_000);
});
