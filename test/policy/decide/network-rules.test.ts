import { expect, test } from "bun:test";
import { denialOfNetwork } from "../../../src/policy/decide/network-rules.ts";
import { prepareSnapshot } from "../../../src/policy/decide/snapshot.ts";
import type { MapPeer, MapRule, MapSelf } from "../../../src/wire/network-map.ts";
import { aMap, anId, aPeer, aRule, aUser } from "../../support/policy.ts";

const laptop = aPeer("laptop", ["devs"], { ownerUserId: anId("ada") });
const ssh = aRule("ssh", ["devs"], ["deploy"]);
const tcp = (start: number, end = start, change: Partial<MapRule> = {}): MapRule =>
  aRule("tcp", ["devs"], "full", { protocol: "tcp", ports: [{ start, end }], ...change });

/** A rule of which this machine is a source and the laptop's group the destination. */
const back = (change: Partial<MapRule>): MapRule =>
  tcp(22, 22, {
    id: anId("back"),
    sources: [anId("servers")],
    destinations: [anId("devs")],
    ...change,
  });
const ada = aUser("ada", ["people"]);

interface Row {
  readonly name: string;
  readonly rules: readonly MapRule[];
  readonly port?: number;
  readonly peer?: MapPeer | null;
  readonly self?: Partial<MapSelf>;
  readonly want: ReturnType<typeof denialOfNetwork>;
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
  {
    name: "opens 22022 by a range that ends with it",
    rules: [tcp(22_000, 22_022)],
    port: 22_022,
    want: null,
  },
  {
    name: "keeps 22 closed by a range that ends before it",
    rules: [tcp(10, 21)],
    want: "network_not_allowed",
  },
  {
    name: "keeps 22 closed by a range that begins after it",
    rules: [tcp(23, 65_535)],
    want: "network_not_allowed",
  },
  {
    name: "opens by one of several ranges",
    rules: [tcp(80, 80, { ports: [80, 443, 22].map((port) => ({ start: port, end: port })) })],
    want: null,
  },
  {
    name: "lets a drop of every protocol win",
    rules: [ssh, aRule("no", ["devs"], "full", { protocol: "all", action: "drop" })],
    want: "network_not_allowed",
  },
  {
    name: "is not closed by a drop of another port",
    rules: [ssh, { ...tcp(80), id: anId("no"), action: "drop" }],
    want: null,
  },
  {
    name: "opens the way back of a bidirectional tcp rule",
    rules: [back({ bidirectional: true })],
    want: null,
  },
  {
    name: "opens the way back of a bidirectional rule of every protocol",
    rules: [back({ bidirectional: true, protocol: "all", ports: [] })],
    want: null,
  },
  {
    name: "opens 22022 by the way back of a rule over 22",
    rules: [back({ bidirectional: true })],
    port: 22_022,
    want: null,
  },
  { name: "opens no way back of a rule of one direction", rules: [back({})], want: "network_not_allowed" },
  {
    name: "opens no way back of an SSH rule, whatever it says",
    rules: [back({ bidirectional: true, protocol: "qufabric-ssh", ports: [] })],
    want: "network_not_allowed",
  },
  {
    name: "opens no way back for another port",
    rules: [back({ bidirectional: true, ports: [{ start: 80, end: 80 }] })],
    want: "network_not_allowed",
  },
  {
    name: "opens no way back for who is no destination",
    rules: [back({ bidirectional: true, destinations: [anId("ops")] })],
    want: "network_not_allowed",
  },
  {
    name: "opens no way back for a device that is in the destination by its owner only",
    rules: [back({ bidirectional: true, destinations: [anId("people")] })],
    want: "network_not_allowed",
  },
  {
    name: "opens no way back to a machine outside of source_devices",
    rules: [back({ bidirectional: true, sourceDevices: [anId("managed")] })],
    want: "network_not_allowed",
  },
  {
    name: "opens the way back between two peers that a rule names",
    rules: [
      back({
        bidirectional: true,
        sources: [],
        sourcePeerId: anId("web1"),
        destinations: [],
        destinationPeerId: laptop.id,
      }),
    ],
    want: null,
  },
  {
    name: "closes the way back of a bidirectional drop",
    rules: [ssh, back({ bidirectional: true, action: "drop" })],
    want: "network_not_allowed",
  },
  { name: "is not closed by a drop of one direction", rules: [ssh, back({ action: "drop" })], want: null },
  {
    name: "opens for a device whose posture checks are met",
    rules: [{ ...tcp(22), postureChecks: [anId("version")] }],
    peer: { ...laptop, posturePassed: [anId("version")] },
    want: null,
  },
  {
    name: "closes for a device with one posture check that is not met",
    rules: [{ ...tcp(22), postureChecks: [anId("version"), anId("address")] }],
    peer: { ...laptop, posturePassed: [anId("version")] },
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
  {
    name: "closes for a rule of another machine",
    rules: [{ ...ssh, destinations: [anId("laptops")] }],
    want: "network_not_allowed",
  },
  {
    name: "closes at valid_until",
    rules: [{ ...ssh, validUntilSeconds: 1_000_000 }],
    want: "network_not_allowed",
  },
  {
    name: "closes outside of the schedule",
    rules: [{ ...ssh, schedule: { windows: [] } }],
    want: "network_not_allowed",
  },
  {
    name: "is not closed by an expired drop",
    rules: [ssh, { ...tcp(22), id: anId("no"), action: "drop", validUntilSeconds: 1_000_000 }],
    want: null,
  },
  {
    name: "opens for a peer that is named",
    rules: [{ ...ssh, sources: [], sourcePeerId: laptop.id }],
    want: null,
  },
  {
    name: "closes for a peer that is not the named one",
    rules: [{ ...ssh, sources: [], sourcePeerId: anId("desktop") }],
    want: "network_not_allowed",
  },
  {
    name: "closes for a device outside of source_devices",
    rules: [{ ...ssh, sourceDevices: [anId("managed")] }],
    want: "network_not_allowed",
  },
  {
    name: "closes for a device that is in source_devices by its owner only",
    rules: [{ ...ssh, sourceDevices: [anId("people")] }],
    want: "network_not_allowed",
  },
  {
    name: "opens for a device inside of source_devices",
    rules: [{ ...ssh, sourceDevices: [anId("managed")] }],
    peer: { ...laptop, groups: [anId("devs"), anId("managed")] },
    want: null,
  },
  {
    name: "is not closed by a drop with other source_devices",
    rules: [ssh, { ...tcp(22), id: anId("no"), action: "drop", sourceDevices: [anId("managed")] }],
    want: null,
  },
  {
    name: "closes where SSH is off for the peer",
    rules: [ssh],
    self: { sshEnabled: false },
    want: "ssh_disabled",
  },
  {
    name: "refuses a device that waits for approval",
    rules: [ssh],
    peer: { ...laptop, status: "pending" },
    want: "device_pending",
  },
  { name: "does not know strangers", rules: [ssh], peer: null, want: "device_unknown" },
  {
    name: "refuses a blocked device",
    rules: [ssh],
    peer: { ...laptop, status: "blocked" },
    want: "device_blocked",
  },
])("denialOfNetwork $name", ({ rules, port, peer, self, want }) => {
  const peers = peer === null ? [] : [peer ?? laptop];
  const change = { self: { ...aMap({}).self, ...self } };
  const snapshot = prepareSnapshot(aMap({ users: [ada], peers, rules, change }));
  const request = { sourcePeerId: laptop.id, port: port ?? 22, nowSeconds: 1_000_000 };
  expect(denialOfNetwork(request, snapshot)).toBe(want);
});
