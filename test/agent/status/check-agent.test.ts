/** What `qf doctor` makes of a running agent's own words; the rest is in test/e2e/doctor.test.ts. */
import { expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openControlServer } from "../../../src/agent/control-socket/control-server.ts";
import { checkAgent } from "../../../src/agent/status/check-agent.ts";
import { ROOTLESS } from "../../../src/agent/status/problems.ts";
import { systemClock } from "../../../src/base/clock.ts";
import { generateEd25519 } from "../../../src/base/ed25519.ts";
import { silentLog } from "../../../src/base/log.ts";
import type { AgentStatus } from "../../../src/wire/control.ts";
import { tempFolder } from "../../support/temp-folder.ts";

const status: AgentStatus = {
  state: "running",
  pid: 1,
  version: "0.1.0",
  self: null,
  management: {
    url: "https://qf.example.com",
    connected: true,
    mapVersion: 1,
    mapAgeSeconds: 2,
    clockOffsetMs: 0,
    error: null,
  },
  sshServer: { enabled: false, listen: [], sessions: [] },
  peers: [],
  flags: {},
  problems: [],
};

/** Findings about an agent that answers with `change` in its status; all of its answer is public. */
async function found(change: Partial<AgentStatus>) {
  const stateDir = tempFolder();
  mkdirSync(join(stateDir, "public"));
  const controlSocket = join(stateDir, "public", "control.sock");
  const server = await openControlServer(controlSocket, {
    clock: systemClock,
    log: silentLog,
    deviceKey: generateEd25519(),
    enrolled: () => {
      throw new Error("nobody asks");
    },
    status: () => ({ ...status, ...change }),
    apply: async () => {},
    down: () => {},
    expectSuccessor: () => {},
    pids: () => [process.pid],
    uidOf: async () => null,
  });
  const client = {
    managementUrl: "https://qf.example.com",
    ttlSeconds: 0,
    controlSocket,
    bootId: "b".repeat(20),
  };
  writeFileSync(join(stateDir, "public", "client.json"), JSON.stringify(client));
  try {
    const findings = await checkAgent({ stateDir, environment: {} });
    return findings.map(({ status: how, code, message, fix }) => `${how} ${code} ${message}; ${fix}`);
  } finally {
    await server.close();
  }
}

test("an agent that is well is fine", async () => {
  expect(await found({})).toEqual([
    "ok agent.running running, pid 1, version 0.1.0, map confirmed 2 s ago, SSH off; null",
  ]);
});

test("its problems are ours, each with its fix; that it runs without root is a choice", async () => {
  const problems = ["no network map yet: nothing is allowed", ROOTLESS];
  const [, ...rest] = await found({ problems, fixes: ["wait", "run it as root"] });
  expect(rest).toEqual([
    "problem agent.problem no network map yet: nothing is allowed; wait",
    `note agent.rootless ${ROOTLESS}; run it as root`,
  ]);
});

test("an older agent that names no fixes is told of all the same", async () => {
  const [, only] = await found({ problems: ["something"] });
  expect(only).toBe("problem agent.problem something; look at qf agent status -d");
});
