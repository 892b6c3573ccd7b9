import { afterEach, expect, test } from "bun:test";
import { executablePath } from "../support/executable.ts";
import { runProcess } from "../support/run-process.ts";
import { tempFolder } from "../support/temp-folder.ts";

let server: ReturnType<typeof Bun.serve> | undefined;
afterEach(async () => {
  await server?.stop(true);
  server = undefined;
});

/** `qf` against a management that answers so. */
async function qf(args: readonly string[], answer: () => Response) {
  server = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: answer });
  const home = tempFolder();
  const env = {
    ...{ HOME: home, QF_CONFIG_DIR: home, QF_TOKEN: `qfp_${"a".repeat(43)}` },
    QF_MANAGEMENT_URL: `http://127.0.0.1:${server.port}`,
  };
  return runProcess([await executablePath(), ...args], { env });
}

const GROUP = {
  ...{ id: "g".repeat(20), name: "x", peers_count: 0, resources_count: 0, issued: "api" },
  ...{ peers: [], resources: [] },
};

test("what management has ignored is said, in one line that cannot drive a terminal", async () => {
  const headers = { "X-Ignored": "colour, settings.later\t" };
  const { stderr, exitCode } = await qf(["group", "create", "x"], () => Response.json(GROUP, { headers }));
  expect([exitCode, stderr]).toEqual([
    0,
    "qf: warning: management does not know, and has ignored: colour, settings.later\n",
  ]);
});

test("nothing is said where nothing was ignored", async () => {
  const { stderr, stdout } = await qf(["group", "create", "x"], () => Response.json(GROUP));
  expect([stderr, stdout]).toEqual(["", `created group x (${GROUP.id})\n`]);
});

test("a management that starts says so, and its refusal is read", async () => {
  const body = { code: 503, message: "management is starting", error: "ERR_UNAVAILABLE" };
  const { stderr, exitCode } = await qf(["group", "list"], () => Response.json(body, { status: 503 }));
  expect([exitCode, stderr]).toEqual([1, "qf: error: management is starting\n"]);
});

test.each([
  ...["group list", "audit tail", `session watch ${"s".repeat(20)}`, "policy get", "user password"],
  ...["whoami", "ls", "login", "ssh root@web1 true", "upgrade", "selftest attack"],
])("qf %s speaks to nobody on the network without encryption", async (line) => {
  const home = tempFolder();
  const env = {
    ...{ HOME: home, QF_CONFIG_DIR: home, QF_TOKEN: `qfp_${"a".repeat(43)}`, QF_NO_BROWSER: "1" },
    // Nobody is at this address: who asked there would wait.
    QF_MANAGEMENT_URL: "http://192.0.2.1",
  };
  const { stdout, stderr, exitCode } = await runProcess([await executablePath(), ...line.split(" ")], {
    env,
  });
  expect(stderr).toMatch(/^qf: error: .*http:\/\/192\.0\.2\.1 is not encrypted$/m);
  expect([stdout, exitCode === 0]).toEqual(["", false]);
});
