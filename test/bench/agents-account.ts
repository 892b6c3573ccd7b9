/**
 * An account with very many machines, written into the store directly: enrolling ten thousand over HTTP would
 * measure enrolment. Everything after this, links and maps, is real.
 */

import { systemClock } from "../../src/base/clock.ts";
import { generateEd25519 } from "../../src/base/ed25519.ts";
import { silentLog } from "../../src/base/log.ts";
import { newId } from "../../src/base/random.ts";
import type { Writer } from "../../src/management/db/engine/transaction.ts";
import { openStore, type Store } from "../../src/management/db/store.ts";
import { bumpVersion } from "../../src/management/db/tables/accounts.ts";
import { systemInitiator } from "../../src/management/db/tables/audit-events.ts";
import { insertGroup } from "../../src/management/db/tables/groups.ts";
import type { PeerRow } from "../../src/management/db/tables/peers.ts";
import { putPolicy } from "../../src/management/db/tables/policies.ts";
import { insertUser, listUsers, type UserRow, updateUser } from "../../src/management/db/tables/users.ts";
import type { AgentFlags } from "../../src/wire/agent-sync.ts";
import type { PeerFacts } from "../../src/wire/client-api.ts";
import type { PolicyRuleWrite } from "../../src/wire/policy.ts";

/** Machines of one group: all of them have the same rules. */
const GROUP_MACHINES = 100;
/** People per group of machines, each with a device; and people who may enter every machine. */
const GROUP_PEOPLE = 20;
const ADMINS = 10;
const CROWD_PEOPLE = 100;
const ROWS_PER_INSERT = 200;

/** One simulated machine. */
export interface SeededMachine {
  readonly id: string;
  readonly name: string;
  readonly publicKey: string;
  /** The private key's seed, base64url. */
  readonly seed: string;
}

export const AGENT_FACTS: PeerFacts = {
  hostname: "machine",
  os: "Debian GNU/Linux 12",
  kernelVersion: "6.1.0-13-amd64",
  version: "0.1.0",
};

export const AGENT_FLAGS: AgentFlags = {
  sshServer: true,
  sshRoot: false,
  sshSftp: true,
  sshLocalForwarding: true,
  sshRemoteForwarding: false,
  sshAuth: true,
  offlineLogins: false,
  requireIdpBinding: false,
  privileged: true,
  ownUser: "root",
};

/** Fills the account of a data folder that nobody serves now. Returns the machines with their keys. */
export async function seedAccount(
  dataDir: string,
  accountId: string,
  machineCount: number,
): Promise<SeededMachine[]> {
  const store = openStore({ dataDir, clock: systemClock, log: silentLog, create: false });
  try {
    return await seedStore(store, accountId, machineCount);
  } finally {
    await store.close();
  }
}

/** Adds so many people, each with a device, and so many groups with nobody in them. */
export async function seedCrowd(
  dataDir: string,
  accountId: string,
  { people, groups }: { readonly people: number; readonly groups: number },
): Promise<void> {
  const store = openStore({ dataDir, clock: systemClock, log: silentLog, create: false });
  try {
    await store.transaction(async (tx) => {
      for (let i = 0; i * CROWD_PEOPLE < people; i++) {
        await addPeople(tx, accountId, `staff-${i}`, Math.min(CROWD_PEOPLE, people - i * CROWD_PEOPLE));
      }
      for (let i = 0; i < groups; i++) await newGroup(tx, accountId, `empty-${i}`);
      await bumpVersion(tx, accountId);
    });
  } finally {
    await store.close();
  }
}

/** Fills the account in a store of any kind. */
export function seedStore(store: Store, accountId: string, machineCount: number): Promise<SeededMachine[]> {
  return store.transaction(async (tx) => {
    const machines: SeededMachine[] = [];
    const admins = await addPeople(tx, accountId, "admins", ADMINS);
    for (let g = 0; g * GROUP_MACHINES < machineCount; g++) {
      const count = Math.min(GROUP_MACHINES, machineCount - g * GROUP_MACHINES);
      machines.push(...(await addGroup(tx, accountId, { number: g, count, admins })));
    }
    await bumpVersion(tx, accountId);
    return machines;
  });
}

/** One of the people who may enter every machine is blocked: a change of every map, while nobody serves. */
export async function blockAdmin(dataDir: string, accountId: string): Promise<void> {
  const store = openStore({ dataDir, clock: systemClock, log: silentLog, create: false });
  try {
    await store.change({ accountId, initiator: systemInitiator, affectsMaps: true }, async (tx) => {
      const admin = (await listUsers(tx, accountId)).find(({ email }) => email.startsWith("admins."));
      if (admin === undefined) throw new Error("the account has nobody who may enter every machine");
      await updateUser(tx, accountId, admin.id, { isBlocked: true });
    });
  } finally {
    await store.close();
  }
}

async function addGroup(
  tx: Writer,
  accountId: string,
  { number, count, admins }: { number: number; count: number; admins: string },
): Promise<SeededMachine[]> {
  const group = await newGroup(tx, accountId, `machines-${number}`);
  const people = await addPeople(tx, accountId, `people-${number}`, GROUP_PEOPLE);
  await addPolicy(tx, accountId, { sources: [people], destinations: [group] }, people);
  await addPolicy(tx, accountId, { sources: [admins], destinations: [group] }, admins);
  const machines = Array.from({ length: count }, (_, i): SeededMachine => {
    const key = generateEd25519();
    return {
      id: newId(),
      name: `m${number}-${i}`,
      publicKey: key.publicKey,
      seed: key.seed,
    };
  });
  await addPeers(
    tx,
    machines.map(({ id, name, publicKey }, i) => ({
      ...aPeer(accountId, number * GROUP_MACHINES + i),
      id,
      name,
      dnsName: name,
      deviceKey: publicKey,
      flags: AGENT_FLAGS,
      hostKeys: ["AAAA"],
      kind: "machine",
    })),
  );
  await tx.sql.insert(tx.t.groupPeers).values(machines.map(({ id }) => ({ groupId: group, peerId: id })));
  return machines;
}

/** A group of people, each with a device. Returns the group's id. */
async function addPeople(tx: Writer, accountId: string, name: string, count: number): Promise<string> {
  const group = await newGroup(tx, accountId, name);
  const devices: PeerRow[] = [];
  for (let i = 0; i < count; i++) {
    const id = newId();
    const user: UserRow = {
      id,
      accountId,
      issuer: "embedded",
      subject: id,
      email: `${name}.${i}@example.com`,
      name: `Person ${i} of ${name}`,
      role: "user",
      autoGroups: [group],
      isServiceUser: false,
      autoGroupsUntil: null,
      isBlocked: false,
      pendingApproval: false,
      createdAt: 1_795_000_000,
      lastLoginAt: null,
    };
    await insertUser(tx, user);
    const device = newId();
    devices.push({
      ...aPeer(accountId, devicesMade++),
      id: device,
      name: `laptop-${device}`,
      dnsName: `laptop-${device}`,
      deviceKey: generateEd25519().publicKey,
      kind: "device",
      ownerUserId: id,
    });
  }
  await addPeers(tx, devices);
  return group;
}

let devicesMade = 1_000_000;

function aPeer(
  accountId: string,
  number: number,
): Omit<PeerRow, "id" | "name" | "dnsName" | "deviceKey" | "kind"> {
  return {
    accountId,
    displayName: null,
    vouch: null,
    nameConfirmed: true,
    hostKeys: [],
    address: `100.${64 + Math.floor(number / 65_536)}.${Math.floor(number / 256) % 256}.${number % 256}`,
    ownerUserId: null,
    status: "active",
    ownerApproved: true,
    sshEnabled: true,
    ephemeral: false,
    facts: AGENT_FACTS,
    flags: null,
    direct: [],
    connectionIp: "127.0.0.1",
    vouchedByPeerId: null,
    loginExpirationEnabled: false,
    inactivityExpirationEnabled: false,
    mapVersion: 0,
    mapDigest: "",
    nextAuditSeq: 1,
    createdAt: 1_795_000_000,
    lastSeenAt: 1_795_000_000,
    lastLoginAt: 1_795_000_000,
  };
}

async function addPeers(tx: Writer, rows: readonly PeerRow[]): Promise<void> {
  for (let i = 0; i < rows.length; i += ROWS_PER_INSERT) {
    await tx.sql.insert(tx.t.peers).values(rows.slice(i, i + ROWS_PER_INSERT));
  }
}

async function newGroup(tx: Writer, accountId: string, name: string): Promise<string> {
  const id = newId();
  await insertGroup(tx, { id, accountId, name, isAll: false, createdAt: 1_795_000_000 });
  return id;
}

async function addPolicy(
  tx: Writer,
  accountId: string,
  between: Pick<PolicyRuleWrite, "sources" | "destinations">,
  people: string,
): Promise<void> {
  const id = newId();
  const times = { createdAt: 1_795_000_000, updatedAt: 1_795_000_000 };
  const policy = {
    id,
    accountId,
    name: id,
    description: null,
    enabled: true,
    sourcePostureChecks: [],
    ...times,
  };
  const body: Omit<PolicyRuleWrite, "id"> = {
    name: "ssh",
    enabled: true,
    action: "accept",
    bidirectional: false,
    protocol: "qufabric-ssh",
    ...between,
    authorized_groups: { [people]: ["deploy"] },
  };
  await putPolicy(tx, policy, [{ id: newId(), accountId, policyId: id, position: 0, body }]);
}
