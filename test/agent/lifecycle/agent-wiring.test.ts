import { expect, test } from "bun:test";
import { resolveFlags } from "../../../src/agent/contracts/flags.ts";
import { statusOf } from "../../../src/agent/lifecycle/agent-wiring.ts";
import { createPeerPaths } from "../../../src/agent/listeners/peer-paths.ts";
import type { Enrolled } from "../../../src/wire/agent-state-file.ts";

test("an agent of which nothing is made yet has a status: it listens nowhere and knows nobody", () => {
  const status = statusOf({
    state: "starting",
    enrolled: { name: "web1", domain: "qf.internal", address: "100.64.0.1" } as Enrolled,
    flags: resolveFlags({ managementUrl: "https://qf.example.com", sshServer: true }, undefined),
    privileged: false,
    sessions: [],
    spool: { events: 0, bytes: 0, bytesMax: 1, isBroken: false, isFailing: false },
    paths: createPeerPaths(),
    problem: null,
    programProblems: [],
    alarms: [],
  });
  const { state, management, sshServer, relay, peers } = status;
  expect({ state, connected: management.connected, age: management.mapAgeSeconds, relay, peers }).toEqual({
    state: "starting",
    connected: false,
    age: null,
    relay: { connected: false, streams: 0 },
    peers: [],
  });
  expect(sshServer).toMatchObject({ listen: [], sessions: [] });
});
