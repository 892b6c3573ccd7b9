/** Every row is a running agent with one thing wrong; the first has nothing wrong. */
import { expect, test } from "bun:test";
import { resolveFlags } from "../../../src/agent/contracts/flags.ts";
import { OLDER_MAP } from "../../../src/agent/control-link/map-intake.ts";
import { NOT_TRIED_YET } from "../../../src/agent/control-link/sync-client.ts";
import { statusText } from "../../../src/agent/status/status.ts";
import type { StatusParts } from "../../../src/agent/status/status-parts.ts";
import { buildStatus } from "../../../src/agent/status/status-report.ts";
import { aMap, anId, aPeer } from "../../support/policy.ts";

const flags = resolveFlags({ managementUrl: "https://qf.example.com", sshServer: true }, undefined);
const map = aMap({ peers: [aPeer("laptop", [])] });
const sync = {
  ...{ connected: true, clockOffsetMs: -3, latencyMs: 1.25, error: null },
  ...{ cloneSuspected: false, auditHeld: false },
};
const enrolled = {
  accountId: anId("account"),
  origin: "https://qf.example.com",
  peerId: anId("web1"),
  name: "web1",
  domain: "qf.internal",
  address: "100.64.0.2",
};
const healthy: StatusParts = {
  state: "running",
  enrolled,
  flags,
  privileged: true,
  map,
  mapAgeSeconds: 2,
  sync,
  listening: ["0.0.0.0:22022"],
  advertised: ["10.0.0.5:22022"],
  plainListening: [],
  relay: { connected: true, streams: 0 },
  refused: { direct: 999, relay: 3, forgedByRelay: 0, lastAddress: "192.0.2.7" },
  sessions: [],
  spool: { events: 0, bytes: 100, bytesMax: 1000, isBroken: false, isFailing: false },
  pathOf: () => undefined,
  problem: null,
  programProblems: [],
  alarms: [],
};
const stale = (mapAgeSeconds: number): Partial<StatusParts> => ({ mapAgeSeconds });
const lost = "management cannot be reached";

test.each<[name: string, change: Partial<StatusParts>, problems: (string | RegExp)[]]>([
  ["nothing", {}, []],
  ["no link", { sync: { ...sync, connected: false, error: lost } }, [lost]],
  ["no link yet", { sync: { ...sync, connected: false, error: NOT_TRIED_YET } }, [NOT_TRIED_YET]],
  ["a peer that is gone", { problem: "not part of the account" }, ["not part of the account"]],
  ["no map", { map: null }, [/^no network map yet/]],
  ["a map of 5 minutes and a second", stale(301), [/too old for uid 0/]],
  ["a map of an hour and a second", stale(3601), [/too old: nothing is allowed/]],
  [
    "a clock ahead",
    { sync: { ...sync, clockOffsetMs: 61_000 } },
    ["this clock is 61 s ahead of management's"],
  ],
  [
    "a clock behind",
    { sync: { ...sync, clockOffsetMs: -61_000 } },
    ["this clock is 61 s behind management's"],
  ],
  ["SSH disabled", { map: { ...map, self: { ...map.self, sshEnabled: false } } }, [/^SSH is disabled for/]],
  ["no way in", { listening: [], relay: { connected: false, streams: 0 } }, [/^no peer can come in/]],
  [
    "a flood at the port",
    { refused: { ...healthy.refused, direct: 1_000 } },
    ["1000 connections were turned away within 10 minutes, the last from 192.0.2.7"],
  ],
  [
    "a relay that lies",
    { refused: { ...healthy.refused, forgedByRelay: 2 } },
    ["the relay passes on what no device has sent: 2 streams were turned away"],
  ],
  ["no root", { privileged: false }, [/^runs without root/]],
  ["a full spool", { spool: { ...healthy.spool, bytes: 501 } }, [/^the audit spool is 50 % full/]],
  [
    "a spool that broke",
    { spool: { ...healthy.spool, isBroken: true } },
    [/^the audit spool cannot be written/],
  ],
  [
    "a disk that is full",
    { spool: { ...healthy.spool, isFailing: true } },
    [/^the last audit event could not be written/],
  ],
  ["a copied state folder", { sync: { ...sync, cloneSuspected: true } }, [/its state folder was copied$/]],
  ["a share that is used up", { sync: { ...sync, auditHeld: true } }, [/its share of a day is used up$/]],
  ["a restored backup", { sync: { ...sync, error: OLDER_MAP } }, [OLDER_MAP]],
  [
    "plain clients without SSH",
    { flags: { ...flags, plainSshListen: "0.0.0.0:2200", sshServer: false } },
    [/^--plain-ssh-listen does nothing/],
  ],
  [
    "plain clients without sign-ins",
    { flags: { ...flags, plainSshListen: "0.0.0.0:2200", sshAuth: false } },
    [/nobody can sign in at --plain-ssh-listen/],
  ],
])("status names what is wrong and how to mend it: %s", (_name, change, wanted) => {
  const status = buildStatus({ ...healthy, ...change });
  expect(status.problems).toEqual(
    wanted.map((one) => (typeof one === "string" ? one : expect.stringMatching(one))),
  );
  expect(status.fixes).toHaveLength(wanted.length);
  const text = statusText(status, false);
  for (const [i, problem] of status.problems.entries()) {
    expect(text).toContain(`Problem:     ${problem}\n  Fix:       ${status.fixes?.[i]}\n`);
  }
});

test("status says for each peer which way it came, why, and how long the way is", () => {
  const pathOf = () => ({ path: "relay" as const, latencyMs: 12.5, isLive: true });
  const status = buildStatus({ ...healthy, pathOf });
  expect(status.peers).toEqual([
    { name: "laptop", address: expect.any(String), path: "relay", latencyMs: 12.5 },
  ]);
  const text = statusText(status, true);
  expect(text).toMatch(/\n {2}laptop \S+ relay \(no direct address answered it in time\), 12\.5 ms\n/);
  expect(text).toContain(
    "Refused:     999 directly, 3 through the relay within 10 minutes; the last from 192.0.2.7\n",
  );
  expect(text).toContain(
    "Link:        1.25 ms to management and back\nClock:       3 ms behind management's\n",
  );
  expect(text).toContain("Direct:      0.0.0.0:22022; told to others: 10.0.0.5:22022\n");
  const alone = statusText(buildStatus({ ...healthy, pathOf, listening: [] }), true);
  expect(alone).toContain("relay (there is no listener here), 12.5 ms\n");
});

test("status of a peer that has been here keeps how long the way was", () => {
  const pathOf = () => ({ path: "direct" as const, latencyMs: 0.4, isLive: false });
  expect(buildStatus({ ...healthy, pathOf }).peers[0]).toMatchObject({ path: "idle", latencyMs: 0.4 });
});
