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
  setUp = await openSetUp({ policies: [{ logins: ["nobody"] }], machines });
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
  // As Ada's laptop, which may reach the machine.
  const env = { ...setUp.device.env(), QF_TOKEN: lab.token };
  const args = [...ports, "--stream-to", "web1", "--with-token"];
  const before = (await lab.api<{ id: string }[]>("GET", "/api/peers")).map(({ id }) => id).sort();
  const { exitCode, report } = await attack(lab.url, args, env);
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
  // None of those on streams was skipped.
  expect(held.filter((id) => /^relay_(?:stream|link)_/.test(id))).toHaveLength(9);
  expect(held.filter((id) => /^(?:relayed|direct)_hello_/.test(id))).toHaveLength(12);
  expect(held.filter((id) => id.startsWith("relay_frame_"))).toHaveLength(6);
  expect(exitCode).toBe(0);
  const peers = await lab.api<{ id: string }[]>("GET", "/api/peers");
  expect(peers.map(({ id }) => id).sort()).toEqual(before);
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
  for (const id of [
    "api_without_token",
    "path_traversal",
    "signature_relabelled",
    "relay_link_forged",
    "early_message_50",
  ]) {
    expect(broke).toContain(id);
  }
}, 180_000);
