/** `qf import netbird`: what is shown, what is made, and that the file it writes is one. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { executablePath } from "../support/executable.ts";
import { NETBIRD, serveNetBird } from "../support/netbird-server.ts";
import { runProcess } from "../support/run-process.ts";
import { startTestManagement, type TestManagement } from "../support/running-management.ts";

const folder = mkdtempSync(join(tmpdir(), "qf-import-"));
const [tokenFile, out, keys] = ["token", "policy.yaml", "keys"].map((name) => join(folder, name)) as [
  string,
  string,
  string,
];
let management: TestManagement;
let netbird: ReturnType<typeof serveNetBird>;
let executable: string;

beforeAll(async () => {
  management = await startTestManagement(join(folder, "data"));
  netbird = serveNetBird();
  executable = await executablePath();
  writeFileSync(tokenFile, "nbp_secret\n", { mode: 0o600 });
}, 60_000);

afterAll(async () => {
  await netbird?.stop();
  await management?.close();
  rmSync(folder, { recursive: true, force: true });
});

function qf(...args: string[]) {
  const env = { PATH: "/usr/bin:/bin", HOME: folder, QF_TOKEN: management.token };
  return runProcess([executable, ...args, "--management-url", management.url], { env, cwd: folder });
}

const imported = (...args: string[]) =>
  qf("import", "netbird", "--url", netbird.url, "--token-file", tokenFile, ...args);

const keysIn = () => readFileSync(keys, "utf8").trim().split("\n");

async function listed(path: string): Promise<{ id: string; name: string }[]> {
  const headers = { authorization: `Token ${management.token}` };
  const answer = await fetch(`${management.url}/api/${path}`, { headers });
  return (await answer.json()) as { id: string; name: string }[];
}

const names = async (path: string) => (await listed(path)).map(({ name }) => name).sort();

async function deleteSetupKey(wanted: string): Promise<void> {
  const id = (await listed("setup-keys")).find(({ name }) => name === wanted)?.id;
  const headers = { authorization: `Token ${management.token}` };
  await fetch(`${management.url}/api/setup-keys/${id}`, { method: "DELETE", headers });
}

test("without --apply it shows all of it and changes nothing", async () => {
  const before = await names("groups");
  const result = await imported();
  expect(result.exitCode).toBe(0);
  const rule = "authorized_groups: {Developers: [deploy]}";
  expect(result.stdout).toContain(rule);
  for (const name of ["Developers", "Web servers"]) expect(result.stderr).toContain(name);
  expect(result.stderr).not.toContain("nbp_secret");
  expect(await names("groups")).toEqual(before);
}, 60_000);

test("with --apply it makes what is missing, once, and its file is a policy file", async () => {
  const refused = await imported("--apply");
  expect([refused.exitCode, await names("setup-keys")]).toEqual([2, []]);
  expect((await imported("--apply", "--out", out, "--keys-file", keys)).exitCode).toBe(0);
  expect(await names("groups")).toEqual(["All", "Developers", "Web servers"]);
  expect(await names("users?service_user=true")).toContain("ci");
  expect(await names("setup-keys")).toEqual(["one", "web"]);
  expect(statSync(keys).mode & 0o777).toBe(0o600);
  const made = keysIn();
  expect(made).toHaveLength(2);
  await deleteSetupKey("web");
  expect((await imported("--apply", "--out", out, "--keys-file", keys)).exitCode).toBe(0);
  expect(keysIn()).toEqual([...made, expect.stringMatching(/ web$/)]);
  rmSync(keys);
  expect((await imported("--apply", "--out", out, "--keys-file", keys)).exitCode).toBe(0);
  expect([await names("setup-keys"), existsSync(keys)]).toEqual([["one", "web"], false]);
  expect((await qf("policy", "apply", out, "--yes")).exitCode).toBe(0);
  expect(await names("policies")).toEqual([NETBIRD.policies[0]?.name as string]);
  expect((await qf("policy", "diff", out)).exitCode).toBe(0);
}, 120_000);
