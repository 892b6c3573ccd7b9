/** `qf selftest attack`: a good set-up holds, and one that refuses nothing is said to break. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { openSetUp, type SetUp } from "../support/set-up.ts";
import { aWeakMachine, aWeakManagement } from "../support/weak-server.ts";

interface Report {
  readonly held: boolean;
  readonly results: readonly {
    readonly id: string;
    readonly outcome: string;
    readonly detail: string | null;
  }[];
}

let setUp: SetUp;
beforeAll(async () => {
  const machines = { web1: ["--plain-ssh-listen=127.0.0.1:0"] };
  setUp = await openSetUp({ people: {}, devices: {}, policies: [], machines });
}, 120_000);
afterAll(() => setUp?.[Symbol.asyncDispose]());

const attack = async (url: string, args: readonly string[], env: Record<string, string> = {}) => {
  const base = ["selftest", "attack", "--management-url", url, "--json"];
  const { exitCode, stdout } = await setUp.lab.qf([...base, ...args], { timeoutMs: 150_000, env });
  return { exitCode, report: JSON.parse(stdout) as Report };
};

test("management and a machine that runs hold, and nothing of it is left in the account", async () => {
  const { lab, agent } = setUp;
  const { listen, plainListen } = (await agent.status()).sshServer;
  const ports = [...listen, ...(plainListen ?? [])].flatMap((place) => ["--machine", place]);
  const { exitCode, report } = await attack(lab.url, [...ports, "--with-token"], { QF_TOKEN: lab.token });
  expect(report.results.filter(({ outcome }) => outcome === "broke")).toEqual([]);
  const held = report.results.filter(({ outcome }) => outcome === "held").map(({ id }) => id);
  for (const id of [
    "host_rebinding",
    "request_replayed",
    "link_forged_identity",
    "log_proofs",
    "hello_replayed",
  ]) {
    expect(held).toContain(id);
  }
  expect(held.filter((id) => id.startsWith("early_message"))).toHaveLength(4);
  expect(exitCode).toBe(0);
  const response = await fetch(`${lab.url}/api/peers`, { headers: { authorization: `Token ${lab.token}` } });
  expect(((await response.json()) as { name: string }[]).map(({ name }) => name)).toEqual(["web1"]);
}, 180_000);

test("a set-up that refuses nothing is said to break", async () => {
  const config = await (await fetch(`${setUp.lab.url}/client/v1/config`)).json();
  const server = aWeakManagement(config as object);
  const machine = await aWeakMachine({ isSsh: true });
  const { host, port } = machine.place;
  const { exitCode, report } = await attack(server.url, ["--machine", `${host}:${port}`]);
  server.close();
  machine.close();
  expect([exitCode, report.held]).toEqual([1, false]);
  const broke = report.results.filter(({ outcome }) => outcome === "broke").map(({ id }) => id);
  for (const id of ["api_without_token", "path_traversal", "signature_relabelled", "early_message_50"]) {
    expect(broke).toContain(id);
  }
}, 180_000);
