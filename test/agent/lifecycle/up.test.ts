import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { childEnvironment } from "../../../src/agent/lifecycle/spawn-detached.ts";
import { AgentStatus } from "../../../src/wire/control.ts";
import { startTestManagement, type TestManagement } from "../../support/running-management.ts";
import { until } from "../../support/until.ts";

const MAIN = join(import.meta.dir, "../../../src/main.ts");
const root = mkdtempSync(join(tmpdir(), "qf-up-"));
const stateDir = join(root, "state");
let management: TestManagement;

beforeAll(async () => {
  management = await startTestManagement(join(root, "data"));
}, 30_000);
afterAll(async () => {
  await qf(["agent", "down"]);
  await management.close();
  rmSync(root, { recursive: true });
}, 30_000);

interface Result {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

async function qf(
  args: string[],
  options: { uid?: number; env?: Record<string, string> } = {},
): Promise<Result> {
  const child = Bun.spawn([process.execPath, MAIN, ...args, "--state-dir", stateDir], {
    env: { PATH: process.env.PATH ?? "", HOME: root, ...options.env },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
    ...(options.uid === undefined ? {} : { uid: options.uid, gid: options.uid }),
  });
  const [out, err] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ]);
  return { code: await child.exited, out, err };
}

async function status(): Promise<AgentStatus> {
  const { code, out, err } = await qf(["agent", "status", "--json"]);
  if (code !== 0) throw new Error(err);
  return AgentStatus.parse(JSON.parse(out));
}

async function up(...args: string[]): Promise<Result> {
  return await qf(["agent", "up", "--listen", "127.0.0.1:0", ...args]);
}

describe("qf agent up, status and down", () => {
  test("say that nothing runs before anything does", async () => {
    expect(await qf(["agent", "status"])).toMatchObject({ code: 1, out: "" });
    expect(await qf(["agent", "down"])).toMatchObject({ code: 0, out: "no agent was running\n" });
  }, 20_000);

  test("refuse to start without a place to be", async () => {
    const { code, err } = await qf(["agent", "up", "--setup-key", "qfs_whatever"]);
    expect(code).toBe(2);
    expect(err).toMatch(/^qf: error: no management server is known\nqf: hint: /);
    const wrong = await up("--management-url", management.url, "--setup-key", "qfs_wrongwrong");
    expect(wrong).toMatchObject({ code: 1, out: "" });
    expect(wrong.err).toMatch(/^qf: error: .*setup key/);
    expect(wrong.err).not.toContain("    at ");
  }, 20_000);

  test("start an agent that serves when the command returns", async () => {
    const setupKey = await management.addSetupKey();
    const result = await up(
      "--management-url",
      management.url,
      "--setup-key",
      setupKey,
      "--allow-server-ssh",
    );
    expect(result).toMatchObject({ code: 0 });
    expect(result.out).toMatch(/ is up, SSH on 127\.0\.0\.1:\d+\n$/);
    const found = await status();
    expect(found.management).toMatchObject({ connected: true, url: management.url });
    expect(found.sshServer.enabled).toBe(true);
    const environment = readFileSync(`/proc/${found.pid}/environ`, "utf8").split("\0");
    expect(environment.map((entry) => entry.split("=")[0]).filter((name) => name !== "")).toEqual([
      "PATH",
      "HOME",
    ]);
    expect(readFileSync(`/proc/${found.pid}/cmdline`, "utf8")).not.toContain(setupKey);
    expect(statSync(join(stateDir, "agent.log")).mode & 0o777).toBe(0o600);
  }, 30_000);

  test("change the flags of the running agent, by flag and by environment", async () => {
    const { pid } = await status();
    expect(await up("--enable-ssh-root", "--allow-server-ssh=false")).toMatchObject({ code: 0 });
    expect(await status()).toMatchObject({ pid, flags: { sshRoot: true }, sshServer: { enabled: false } });
    const env = { QF_ALLOW_SERVER_SSH: "1", QF_ENABLE_SSH_ROOT: "0" };
    expect(await qf(["agent", "up"], { env })).toMatchObject({ code: 0 });
    expect(await status()).toMatchObject({ pid, flags: { sshRoot: false }, sshServer: { enabled: true } });
    const refused = await up("--require-idp-binding");
    expect(refused.code).toBe(2);
    expect(refused.err).toContain("--pin-issuer");
  }, 30_000);

  test("show people what they asked for", async () => {
    const { out } = await qf(["agent", "status", "-d"]);
    expect(out).toMatch(/^Agent: +running, pid \d+/);
    expect(out).toContain(`Management:  connected to ${management.url}`);
    expect(out).toContain("  sshServer true");
  }, 20_000);

  test.skipIf(process.geteuid?.() !== 0)(
    "answer anybody's status and take changes from root only",
    async () => {
      const chmod = Bun.spawnSync(["chmod", "755", root]);
      expect(chmod.exitCode).toBe(0);
      const script = `
        import { askAgent } from "${join(import.meta.dir, "../../../src/agent/control-socket/control-client.ts")}";
        for (const request of [{ do: "status" }, { do: "down" }, { do: "apply", flags: { sshRoot: true } }]) {
          const answer = await askAgent(${JSON.stringify(stateDir)}, request).catch((error) => error);
          console.log(answer.code ?? "ok");
        }`;
      const child = Bun.spawnSync([process.execPath, "-e", script], {
        uid: 65534,
        gid: 65534,
        env: { PATH: "" },
        cwd: "/",
      });
      expect(child.stdout.toString().trim().split("\n")).toEqual(["ok", "ERR_PERMISSION", "ERR_PERMISSION"]);
    },
    20_000,
  );

  test("survive kill -9 and start again with what was kept", async () => {
    const { pid } = await status();
    process.kill(pid, "SIGKILL");
    await until(
      "the end",
      async () => !existsSync(`/proc/${pid}/exe`) || (await qf(["agent", "status"])).code !== 0,
    );
    expect(await qf(["agent", "up"])).toMatchObject({ code: 0 });
    expect((await status()).sshServer.enabled).toBe(true);
    expect((await management.events()).some((event) => event.activity_code === "agent.gap")).toBe(false);
  }, 30_000);

  test("stop it, and say why it cannot start again", async () => {
    expect(await qf(["agent", "down"])).toMatchObject({ code: 0, out: "the agent has stopped\n" });
    const blocker = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
    const result = await qf(["agent", "up", "--listen", `127.0.0.1:${blocker.port}`]);
    blocker.stop();
    expect(result.code).toBe(1);
    expect(result.err).toContain(`qf: error: 127.0.0.1:${blocker.port} is already in use`);
    expect((await qf(["agent", "status"])).code).toBe(1);
  }, 30_000);
});

test("the agent's environment has nothing that steers a runtime", () => {
  const hostile = {
    HOME: "/root",
    BUN_OPTIONS: "--preload=/tmp/x",
    NODE_OPTIONS: "-r x",
    LD_PRELOAD: "x",
    QF_TOKEN: "t",
  };
  expect(Object.keys(childEnvironment(hostile)).sort()).toEqual(["HOME", "PATH"]);
});

test("a detached agent logs as it was told to, and is given nothing that steers its runtime", () => {
  const environment = { QF_LOG_LEVEL: "debug", BUN_OPTIONS: "--print=1", HOME: "/home/x" };
  const { PATH: _, ...rest } = childEnvironment(environment);
  expect(rest).toEqual({ HOME: "/home/x", QF_LOG_LEVEL: "debug" });
});
