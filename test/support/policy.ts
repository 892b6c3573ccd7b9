/**
 * Builders for policy tests: everything valid and granted unless a test says otherwise.
 */
import type { AccessRequest, MachineFlags, PeerAccessRequest } from "../../src/policy/decide/request.ts";
import type { MapPeer, MapRule, MapUser, NetworkMap } from "../../src/wire/network-map.ts";

/** An id from a readable word: `anId("devs")`. */
export function anId(word: string): string {
  const digest = BigInt(Bun.hash(word)).toString(36).padStart(13, "0").slice(0, 11);
  return (
    word
      .toLowerCase()
      .replace(/[^a-z0-9]/g, "")
      .slice(0, 9) + digest
  ).padEnd(20, "0");
}

export const allFlags: MachineFlags = {
  sshServer: true,
  sshRoot: true,
  sshSftp: true,
  sshLocalForwarding: true,
  sshRemoteForwarding: true,
  privileged: true,
  ownUser: "root",
  recording: true,
};

export function aUser(word: string, groups: readonly string[], change: Partial<MapUser> = {}): MapUser {
  return {
    id: anId(word),
    issuer: "https://idp.example.com",
    subject: word,
    name: word,
    email: `${word}@example.com`,
    status: "active",
    isService: false,
    groups: groups.map(anId),
    ...change,
  };
}

export function aPeer(word: string, groups: readonly string[], change: Partial<MapPeer> = {}): MapPeer {
  return {
    id: anId(word),
    name: word.toLowerCase(),
    kind: "device",
    address: "100.64.0.9",
    deviceKey: "A".repeat(43),
    status: "active",
    groups: groups.map(anId),
    ownerUserId: null,
    ownerApproved: true,
    vouchedGroups: [],
    posturePassed: [],
    ...change,
  };
}

/** A limited rule: `groups` as sources and keys, each allowed `localUsers`; none means full access. */
export function aRule(
  word: string,
  groups: readonly string[],
  localUsers: readonly string[] | "full",
  change: Partial<MapRule> = {},
): MapRule {
  const keys =
    localUsers === "full" ? [] : groups.map((group): [string, string[]] => [anId(group), [...localUsers]]);
  return {
    id: anId(word),
    policyId: anId(`policy${word}`),
    enabled: true,
    action: "accept",
    protocol: "qufabric-ssh",
    ports: [],
    sources: groups.map(anId),
    sourcePeerId: null,
    sourceDevices: [],
    destinations: [anId("servers")],
    destinationPeerId: null,
    authorizedGroups: Object.fromEntries(keys),
    capabilities: {},
    machineLocalUsers: null,
    bidirectional: false,
    validFromSeconds: null,
    validUntilSeconds: null,
    schedule: null,
    postureChecks: [],
    ...change,
  };
}

/** A map of machine `web1` in group `servers`. */
export function aMap(parts: {
  users?: readonly MapUser[];
  peers?: readonly MapPeer[];
  rules?: readonly MapRule[];
  change?: Partial<NetworkMap>;
}): NetworkMap {
  const keyed = <T extends { id: string }>(list: readonly T[]): Record<string, T> =>
    Object.fromEntries(list.map((entry) => [entry.id, entry]));
  return {
    protocolVersion: 1,
    accountId: anId("account"),
    origin: "https://qf.example.com",
    epoch: 1,
    version: 1,
    self: {
      peerId: anId("web1"),
      name: "web1",
      address: "100.64.0.2",
      groups: [anId("servers")],
      sshEnabled: true,
    },
    settings: {
      domain: "qf.internal",
      maxStaleSeconds: 3600,
      maxStaleRootSeconds: 300,
      loginSecondsMax: 43_200,
      require: { record: "off", reason: false, approval: false, reauthWithinSeconds: null },
    },
    cas: {},
    issuers: [],
    managementKeys: [],
    users: keyed(parts.users ?? []),
    peers: keyed(parts.peers ?? []),
    rules: keyed(parts.rules ?? []),
    revokedLogins: {},
    ...parts.change,
  };
}

export function aRequest(change: Partial<AccessRequest> = {}): AccessRequest {
  return {
    userId: anId("alice"),
    devicePeerId: anId("laptop"),
    localUser: "deploy",
    localUid: null,
    action: { kind: "connect" },
    nowSeconds: 1_000_000,
    authTimeSeconds: 999_990,
    binding: "idp",
    reason: "",
    flags: allFlags,
    ...change,
  };
}

export function aPeerRequest(change: Partial<PeerAccessRequest> = {}): PeerAccessRequest {
  return {
    sourcePeerId: anId("laptop"),
    localUser: "deploy",
    localUid: null,
    action: { kind: "connect" },
    nowSeconds: 1_000_000,
    flags: allFlags,
    ...change,
  };
}
