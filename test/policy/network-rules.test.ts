import { expect, test } from "bun:test";
import { refuseNetwork } from "../../src/policy/network-rules.ts";
import { prepareSnapshot } from "../../src/policy/snapshot.ts";
import type { MapPeer, MapRule } from "../../src/wire/network-map.ts";
import { aMap, anId, aPeer, aRule } from "../support/policy.ts";

const laptop = aPeer("laptop", ["devs"]);
const ssh = aRule("ssh", ["devs"], ["deploy"]);
const tcp = (start: number, end = start, change: Partial<MapRule> = {}): MapRule =>
  aRule("tcp", ["devs"], "full", { protocol: "tcp", ports: [{ start, end }], ...change });

interface Row {
  readonly name: string;
  readonly rules: readonly MapRule[];
  readonly port?: number;
  readonly peer?: MapPeer | null;
  readonly want: ReturnType<typeof refuseNetwork>;
}

test.each<Row>([
  { name: "opens 22 by an SSH rule without ports", rules: [ssh], want: null },
  { name: "opens 22022 by an SSH rule", rules: [ssh], port: 22_022, want: null },
  {
    name: "opens nothing else by an SSH rule without ports",
    rules: [ssh],
    port: 80,
    want: "network_not_allowed",
  },
  { name: "opens 22022 by a tcp rule over 22", rules: [tcp(22)], port: 22_022, want: null },
  { name: "opens 22022 by a range around 22", rules: [tcp(20, 30)], port: 22_022, want: null },
  { name: "keeps 22 closed by a tcp rule over 22022", rules: [tcp(22_022)], want: "network_not_allowed" },
  {
    name: "opens every port by an all rule",
    rules: [aRule("all", ["devs"], "full", { protocol: "all" })],
    port: 80,
    want: null,
  },
  {
    name: "opens no TCP by a udp rule",
    rules: [aRule("udp", ["devs"], "full", { protocol: "udp" })],
    want: "network_not_allowed",
  },
  { name: "closes by default", rules: [], want: "network_not_allowed" },
  { name: "closes for others", rules: [{ ...ssh, sources: [anId("ops")] }], want: "network_not_allowed" },
  {
    name: "does nothing by a disabled rule",
    rules: [{ ...ssh, enabled: false }],
    want: "network_not_allowed",
  },
  {
    name: "lets a tcp drop win",
    rules: [ssh, { ...tcp(22), id: anId("no"), action: "drop" }],
    want: "network_not_allowed",
  },
  {
    name: "leaves a drop that names people to the decision",
    rules: [ssh, { ...ssh, id: anId("no"), action: "drop" }],
    want: null,
  },
  { name: "does not know strangers", rules: [ssh], peer: null, want: "device_unknown" },
  {
    name: "refuses a blocked device",
    rules: [ssh],
    peer: { ...laptop, status: "blocked" },
    want: "device_blocked",
  },
])("refuseNetwork $name", ({ rules, port, peer, want }) => {
  const peers = peer === null ? [] : [peer ?? laptop];
  const snapshot = prepareSnapshot(aMap({ peers, rules }));
  const request = { sourcePeerId: laptop.id, port: port ?? 22, nowSeconds: 1_000_000 };
  expect(refuseNetwork(request, snapshot)).toBe(want);
});
