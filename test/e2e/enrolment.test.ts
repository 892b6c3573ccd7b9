/** Setup keys, and 100 machines that want the same one at once. */
import { expect, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { generateEd25519, signEd25519, sshBlobOfEd25519 } from "../../src/base/ed25519.ts";
import { sha256 } from "../../src/base/random.ts";
import { createClientApi } from "../../src/client/client-api.ts";
import { signedBytes } from "../../src/wire/signed-fields.ts";
import { type Lab, openLab } from "../support/lab.ts";
import { runProcess } from "../support/run-process.ts";

/** Enrols a machine over the client API as an agent does. Gives back its peer id, or the error's code. */
async function enrol(lab: Lab, setupKey: string, name: string): Promise<string> {
  const api = createClientApi({ url: lab.url });
  try {
    const { accountId, origin } = await api.config();
    const { challenge } = await api.challenge();
    const key = generateEd25519();
    const hostKeys = [sshBlobOfEd25519(generateEd25519().publicKey).toString("base64")];
    const timeSeconds = Math.floor((performance.timeOrigin + performance.now()) / 1000);
    const fields = {
      challenge,
      deviceKey: key.publicKey,
      hostKeys: hostKeys.join(" "),
      name,
      credentialHash: sha256(setupKey),
      timeSeconds,
    };
    const response = await api.enrolMachine({
      challenge,
      timeSeconds,
      deviceKey: key.publicKey,
      hostKeys,
      credential: { kind: "setup_key", setupKey },
      name,
      facts: { hostname: name, os: "linux", kernelVersion: "6.1", version: "0.1.0" },
      deviceSignature: signEd25519(key, signedBytes("enrol", { accountId, origin }, fields)),
    });
    return response.peerId;
  } catch (error) {
    return (error as { code?: string }).code ?? String(error);
  }
}

test("of 100 concurrent enrolments with a one-off key exactly one succeeds", async () => {
  await using lab = await openLab();
  const key = await lab.createSetupKey([], "one-off");
  const results = await Promise.all(Array.from({ length: 100 }, (_, i) => enrol(lab, key, `m${i}`)));
  expect(results.filter((result) => /^[a-z0-9]{20}$/.test(result))).toHaveLength(1);
  const peers = await lab.api<unknown[]>("GET", "/api/peers");
  expect(peers).toHaveLength(1);
  const keys = await lab.api<{ used_times: number; state: string }[]>("GET", "/api/setup-keys");
  expect(keys[0]).toMatchObject({ used_times: 1, state: "overused" });
}, 60_000);

test("a reusable key enrols many, with names of their own", async () => {
  await using lab = await openLab();
  const key = await lab.createSetupKey();
  const results = await Promise.all(Array.from({ length: 10 }, () => enrol(lab, key, "web")));
  expect(results.filter((result) => /^[a-z0-9]{20}$/.test(result))).toHaveLength(10);
  const peers = await lab.api<{ name: string; ip: string }[]>("GET", "/api/peers");
  expect(new Set(peers.map((peer) => peer.name)).size).toBe(10);
  expect(new Set(peers.map((peer) => peer.ip)).size).toBe(10);
});

test("a wrong, a revoked and an expired key are refused with one line", async () => {
  await using lab = await openLab();
  const agent = await lab.qf([
    "agent",
    "up",
    "--state-dir",
    `${lab.root}/a`,
    "--management-url",
    lab.url,
    "--setup-key",
    "qfk_wrongwrongwrong",
    "--listen",
    "127.0.0.1:0",
  ]);
  expect(agent.exitCode).toBe(1);
  expect(agent.stderr).toMatch(/^qf: error: .*setup key/m);
  expect(agent.stderr).not.toContain("    at ");
});

test("without a setup key and with nobody to ask, it says what to give instead", async () => {
  await using lab = await openLab();
  const up = ["agent", "up", "--state-dir", `${lab.root}/a`, "--management-url", lab.url];
  // Without a terminal, whoever runs the tests.
  const command = ["setsid", "--wait", lab.executable, ...up];
  const said = await runProcess(command, { env: lab.env({ QF_NO_BROWSER: "1" }) });
  expect(said.exitCode).toBe(1);
  expect(said.stderr).toContain("qf: error: signing in needs a terminal");
  expect(said.stderr).toContain("qf: hint: run it in a terminal, or give a setup key");
});

test("no setup key stays on a command line, and a file is as good as a flag", async () => {
  await using lab = await openLab();
  const key = await lab.createSetupKey();
  const args = (name: string) => [
    ...["agent", "up", "--foreground", "--management-url", lab.url],
    ...["--state-dir", join(lab.root, name), "--listen", "127.0.0.1:0", "--name", name],
  ];
  const start = (words: readonly string[]) =>
    Bun.spawn([lab.executable, ...words], { env: lab.env(), stdout: "ignore", stderr: "pipe" });
  const file = join(lab.root, "key");
  writeFileSync(file, `${key}\n`);
  const agents = [
    start([...args("flag"), "--setup-key", key]),
    start([...args("joined"), `--setup-key=${key}`]),
    start([...args("file"), "--setup-key-file", file]),
  ];
  try {
    const peers = await lab.until("all three", async () => {
      const all = await lab.api<{ name: string }[]>("GET", "/api/peers");
      return all.length === 3 && all;
    });
    expect(peers.map(({ name }) => name).sort()).toEqual(["file", "flag", "joined"]);
    for (const { pid } of agents) {
      const line = readFileSync(`/proc/${pid}/cmdline`, "utf8");
      expect(line).toContain("--foreground");
      expect(line).not.toContain(key);
    }
  } finally {
    for (const agent of agents) agent.kill();
    await Promise.all(agents.map(({ exited }) => exited));
  }
});
