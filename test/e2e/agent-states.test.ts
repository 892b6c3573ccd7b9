/**
 * States that `qf agent status` names: a flood, a copied state folder, evidence that cannot be written, no
 * link.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { cpSync, rmSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { sentenceOf } from "../../src/policy/sentences.ts";
import { type Lab, LabAgent, type LabDevice } from "../support/lab.ts";
import { isRoot, type OsAccount } from "../support/os-accounts.ts";
import { openSetUp, type SetUp } from "../support/set-up.ts";
import { sshPort } from "../support/ssh-trap.ts";

describe.skipIf(!isRoot)("qf agent status", () => {
  let setUp: SetUp;
  let lab: Lab;
  let account: OsAccount;
  let agent: LabAgent;
  let device: LabDevice;

  beforeAll(async () => {
    setUp = await openSetUp({ accounts: [["stat"]] });
    ({ lab, account, agent, device } = setUp);
    await lab.until("access", async () => (await attempt()).exitCode === 0);
  }, 240_000);

  afterAll(async () => {
    await setUp?.[Symbol.asyncDispose]();
  });

  const attempt = () => device.ssh([`${account.name}@web1`, "echo in"]);
  const problems = async (of = agent) => (await of.status()).problems.join("\n");

  test("says nothing is wrong when nothing is", async () => {
    expect(await problems()).toBe("");
  });

  test("names a flood at its port, while people get in, and no word is said to it", async () => {
    const port = await sshPort(agent);
    let answered = 0;
    // Another address than people's: what one source may cost is bounded by itself.
    const stranger = (say: string): Socket => {
      const socket = connect({ host: "127.0.0.1", port, localAddress: "127.0.0.9" });
      socket.on("error", () => {}).on("data", () => answered++);
      return say === "" ? socket : socket.end(say);
    };
    const silent = Array.from({ length: 300 }, () => stranger(""));
    for (let round = 0; round < 12; round++) {
      const flood = Array.from({ length: 100 }, () => stranger("SSH-2.0-scanner\r\n"));
      if (round % 4 === 0) expect((await attempt()).stdout).toBe("in\n");
      await lab.until("its end", async () => flood.every(({ closed }) => closed), 30_000);
    }
    for (const socket of silent) socket.destroy();
    await lab.until("the state", async () => (await problems()).includes("connections were turned away"));
    expect(answered).toBe(0);
    const { stdout } = await lab.qf(["agent", "status", "-d", "--state-dir", agent.stateDir]);
    expect(stdout).toMatch(
      /\nRefused: +\d{4} directly, 0 through the relay within 10 minutes; the last from 127\.0\.0\.9\n/,
    );
    expect((await attempt()).stdout).toBe("in\n");
  }, 120_000);

  test("names a copied state folder at both, and management says it too", async () => {
    const copy = new LabAgent(lab, "copy");
    cpSync(agent.stateDir, copy.stateDir, { recursive: true, filter: (path) => !path.endsWith(".sock") });
    await copy.up(["--name", "web1"]);
    try {
      for (const one of [agent, copy]) {
        const isNamed = async () => (await problems(one)).includes("its state folder was copied");
        await lab.until(`the state of ${one.name}`, isNamed, 60_000);
      }
      await lab.until("the event", async () =>
        (await lab.events()).some(({ meta }) => meta.what === "clone_suspected"),
      );
    } finally {
      await copy.down();
      rmSync(copy.stateDir, { recursive: true });
    }
    await lab.until("the link", async () => (await agent.status()).management.connected, 60_000);
    await lab.until("access", async () => (await attempt()).exitCode === 0);
  }, 240_000);

  test("names evidence that cannot be written, and nobody gets in meanwhile", async () => {
    await agent.down();
    // 16 KiB for each file; a full disk, as far as the agent can tell.
    const up = `ulimit -f 16; exec "$0" agent up --foreground --state-dir "$1"`;
    const child = Bun.spawn(["bash", "-c", up, lab.executable, agent.stateDir], {
      env: lab.env(),
      stdin: "ignore",
      stdout: "ignore",
      stderr: "ignore",
    });
    try {
      await lab.until("the link", async () => {
        const status = await agent.status().catch(() => undefined);
        return status?.management.connected;
      });
      let refused = "";
      await lab.until(
        "the file to be full",
        async () => {
          const result = await attempt();
          refused = result.stderr;
          return result.exitCode !== 0;
        },
        60_000,
      );
      expect(refused).toContain(sentenceOf("audit_unavailable").sentence);
      expect(await problems()).toContain("the last audit event could not be written");
      expect((await attempt()).stdout).toBe("");
    } finally {
      child.kill("SIGTERM");
      await child.exited;
    }
    await agent.up();
    await lab.until("access", async () => (await attempt()).exitCode === 0);
    expect(await problems()).not.toContain("audit");
  }, 150_000);

  test("names a link that is down, and why", async () => {
    await lab.management?.kill();
    await lab.until("the state", async () => (await problems()).includes("management"));
    const status = await agent.status();
    expect(status.management).toMatchObject({ connected: false, error: expect.stringMatching(/management/) });
    await lab.serveManagement();
    await lab.until("the link", async () => (await agent.status()).management.error === null, 60_000);
    expect(await problems()).not.toContain("management");
  }, 150_000);
});
