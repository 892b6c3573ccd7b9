/** The relay is killed under many transfers at once: what each client says, who comes back, what is left. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { renderDropIn } from "../../src/proxy/ssh-config/drop-in.ts";
import type { Lab, LabAgent, LabDevice } from "../support/lab.ts";
import { isRoot, type OsAccount } from "../support/os-accounts.ts";
import { alivePids } from "../support/processes.ts";
import { openSetUp, type SetUp } from "../support/set-up.ts";

/** Transfers of each kind. */
const EACH = 2;
const ROUNDS = 3;
/** A stream may hold a window in its own buffers and in those of its session. */
const TRANSFERRED_MIN = 2_000_000;
/**
 * What an agent may hold more than after the first time; a window of each stream would be a fraction of it.
 */
const GROWTH_BYTES_MAX = 24 * 1024 * 1024;

type Transfer = Bun.Subprocess<"ignore" | "pipe", "pipe", "pipe">;

describe.skipIf(!isRoot)("a relay that is killed under transfers", () => {
  let setUp: SetUp;
  let lab: Lab;
  let deploy: OsAccount;
  let agent: LabAgent;
  let laptop: LabDevice;
  let config: string;

  beforeAll(async () => {
    setUp = await openSetUp({
      accounts: [["deploy"]],
      machines: { hidden1: ["--listen", "none"] },
      login: 600,
    });
    ({ lab, account: deploy, agent, device: laptop } = setUp);
    config = join(lab.root, "openssh-config");
    const { executable } = lab;
    const { configDir } = laptop;
    writeFileSync(config, renderDropIn({ executable, domain: "qf.internal", configDir, shortNames: false }));
  }, 120_000);

  afterAll(async () => {
    await setUp?.[Symbol.asyncDispose]();
  });

  const ownSsh = () => [lab.executable, "ssh", `${deploy.name}@hidden1`];
  const stockSsh = () => ["ssh", "-F", config, `${deploy.name}@hidden1.qf.internal`];

  function start(command: readonly string[]): Transfer {
    const env = lab.env(laptop.env());
    return Bun.spawn([...command], { env, cwd: lab.root, stdin: "ignore", stdout: "pipe", stderr: "pipe" });
  }
  const download = (ssh: readonly string[]) => start([...ssh, "cat /dev/zero"]);
  /** Gives back what comes first, to show that it goes; then takes without end. */
  const upload = (ssh: readonly string[]) =>
    start([
      "sh",
      "-c",
      'exec "$@" < /dev/zero',
      "sh",
      ...ssh,
      `head -c ${TRANSFERRED_MIN} && cat > /dev/null`,
    ]);

  /** Reads until the transfer is in its middle, and then on until it ends. */
  async function inTheMiddle({ stdout }: Transfer): Promise<void> {
    const reader = stdout.getReader();
    for (let bytes = 0; bytes < TRANSFERRED_MIN; ) {
      const { value, done } = await reader.read();
      if (done) throw new Error("the transfer ended early");
      bytes += value.length;
    }
    void (async () => {
      while (!(await reader.read()).done);
    })();
  }

  async function heldBytes(): Promise<number> {
    const { pid } = await agent.status();
    const found = /^Pss:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, "utf8"));
    return Number(found?.[1]) * 1024;
  }

  /** Helpers of this lab that carry a stream. */
  function helpers(): number {
    return readdirSync("/proc").filter((pid) => {
      if (!/^\d+$/.test(pid)) return false;
      try {
        const isCarrier = readFileSync(`/proc/${pid}/cmdline`, "utf8").endsWith("proxy\0carry\0");
        return isCarrier && readFileSync(`/proc/${pid}/environ`, "utf8").includes(lab.url);
      } catch {
        return false;
      }
    }).length;
  }

  /** Transfers, the kill, and management again. Gives back what the agent holds afterwards. */
  async function round(): Promise<number> {
    const transfers = Array.from({ length: EACH }, () => [
      download(ownSsh()),
      upload(ownSsh()),
      download(stockSsh()),
      upload(stockSsh()),
    ]).flat();
    await Promise.all(transfers.map(inTheMiddle));
    await lab.management?.kill();
    for (const [index, transfer] of transfers.entries()) {
      expect(await transfer.exited).toBe(255);
      const said = await new Response(transfer.stderr).text();
      const isOwn = index % 4 < 2;
      expect(said).toMatch(
        isOwn
          ? /^qf: error: the connection to the relay was lost\n(?:qf: hint: [^\n]+\n)?$/
          : /closed by remote host|Broken pipe|Connection (?:to|closed by) UNKNOWN/,
      );
      expect(said.trim().split("\n").length).toBeLessThanOrEqual(2);
    }
    await lab.until("nobody on it", async () => (await agent.status()).sshServer.sessions.length === 0);
    expect((await agent.status()).relay).toEqual({ connected: false, streams: 0 });
    await lab.until("the end of what ran", async () => alivePids(deploy).length === 0);
    await lab.until("the end of the helpers", async () => helpers() === 0);
    await lab.serveManagement();
    await lab.until("the link", async () => (await agent.status()).relay?.connected, 10_000);
    expect(await laptop.ssh([`${deploy.name}@hidden1`, "echo back"])).toMatchObject({ stdout: "back\n" });
    return heldBytes();
  }

  test("each client is told in a line or two, the agent is back, and its memory returns", async () => {
    const first = await round();
    for (let i = 1; i < ROUNDS; i++) await round();
    await lab.until("the memory", async () => (await heldBytes()) - first < GROWTH_BYTES_MAX, 30_000);
  }, 240_000);
});
