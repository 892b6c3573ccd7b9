/**
 * Somebody on the network reads what is sent without encryption. No command sends anything by http://
 * beyond this machine, whoever names the server and whatever proxy is set.
 */
import { afterAll, beforeAll, beforeEach, expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { executablePath } from "../support/executable.ts";
import { runProcess } from "../support/run-process.ts";
import { tempFolder } from "../support/temp-folder.ts";

const TOKEN = `qfp_${"S".repeat(43)}`;
const CLEAR = "http://qf.example.com";
const COMMANDS = [
  ["group", "list"],
  ["user", "list"],
  ["user", "create", "ada@example.com"],
  ["peer", "list"],
  ["policy", "list"],
  ["setup-key", "list"],
  ["token", "list"],
  ["audit", "tail"],
  ["login", "--no-browser"],
  ["whoami"],
  ["ping", "web1"],
  ["ssh", "-T", "web1", "true"],
  ["agent", "up", "--setup-key", "qfs_0123456789"],
] as const;

/** Everything that leaves by http:// goes here, if it does. */
let proxy: ReturnType<typeof Bun.serve>;
let heard: string[] = [];
let qf = "";

beforeAll(async () => {
  qf = await executablePath();
  proxy = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch(request) {
      heard.push(`${request.url} ${request.headers.get("authorization") ?? ""}`);
      return Response.json({});
    },
  });
});
beforeEach(() => {
  heard = [];
});
afterAll(() => void proxy.stop(true));

async function run(words: readonly string[], env: Record<string, string>) {
  const home = tempFolder();
  const surroundings = {
    HOME: home,
    PATH: "/usr/bin:/bin",
    QF_AGENT_STATE_DIR: join(home, "agent"),
    QF_STATE_DIR: join(home, "agent"),
    QF_TOKEN: TOKEN,
    HTTP_PROXY: `http://127.0.0.1:${proxy.port}`,
  };
  return runProcess([qf, ...words], { env: { ...surroundings, ...env } });
}

test.each(COMMANDS.map((words) => [words.join(" "), words] as const))(
  "qf %s sends nothing to a server by http://",
  async (_name, words) => {
    const { exitCode, stderr } = await run(words, { QF_MANAGEMENT_URL: CLEAR });
    expect(exitCode).not.toBe(0);
    expect(stderr).toContain("is not encrypted");
    expect(heard).toEqual([]);
  },
);

test.each([
  ["the flag", (): [string[], Record<string, string>] => [["--management-url", CLEAR], {}]],
  [
    "the person's configuration",
    () => {
      const QF_CONFIG_DIR = tempFolder();
      const config = { format: 1, devices: {}, managementUrl: CLEAR };
      writeFileSync(join(QF_CONFIG_DIR, "config.json"), JSON.stringify(config));
      return [[], { QF_CONFIG_DIR }];
    },
  ],
  [
    "the machine's agent",
    () => {
      const state = tempFolder();
      mkdirSync(join(state, "public"));
      const said = { managementUrl: CLEAR, ttlSeconds: 0 };
      writeFileSync(join(state, "public/client.json"), JSON.stringify(said));
      return [[], { QF_AGENT_STATE_DIR: state }];
    },
  ],
] as [string, () => [string[], Record<string, string>]][])(
  "administration believes no http:// URL of %s",
  async (_name, place) => {
    const [words, env] = place();
    const { exitCode, stderr } = await run(["group", "list", ...words], env);
    expect({ exitCode, stderr }).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining("not encrypted"),
    });
    expect(heard).toEqual([]);
  },
);

test.each(["", "internal.example.com"])(
  "a server on this machine is spoken to directly, whatever proxy is set (NO_PROXY=%j)",
  async (NO_PROXY) => {
    const asked: string[] = [];
    using server = Bun.serve({
      hostname: "127.0.0.1",
      port: 0,
      fetch(request) {
        asked.push(new URL(request.url).pathname);
        return Response.json([]);
      },
    });
    const env = { QF_MANAGEMENT_URL: `http://127.0.0.1:${server.port}`, NO_PROXY };
    expect(await run(["group", "list"], env)).toMatchObject({ exitCode: 0 });
    expect(asked).toEqual(["/api/groups"]);
    expect(heard).toEqual([]);
  },
);
