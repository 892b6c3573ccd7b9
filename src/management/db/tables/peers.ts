/**
 * Peers: machines and devices, found by id, key, name or address.
 *
 * `new-peer.ts` creates them.
 *
 * @module
 */
import { and, asc, count, eq, inArray, sql } from "drizzle-orm";
import { nowSeconds } from "../../../base/clock.ts";
import type { AccountId, PeerId, UserId } from "../../../wire/units.ts";
import type { Reader, Writer } from "../engine/transaction.ts";
import type { Row } from "../schema/schema.ts";

export type PeerRow = Row<"peers">;

/** The peer's display name, else its host name. */
export function shownPeerName(peer: Pick<PeerRow, "name" | "displayName">): string {
  return peer.displayName ?? peer.name;
}

const CHUNK = 500;
/** Map versions written in one statement, which compares every row with every one of them. */
const STAMPS_MAX = 100;

export async function findPeer(
  tx: Reader,
  accountId: AccountId,
  peerId: PeerId,
): Promise<PeerRow | undefined> {
  const { peers } = tx.t;
  const [row] = await tx.sql
    .select()
    .from(peers)
    .where(and(eq(peers.accountId, accountId), eq(peers.id, peerId)));
  return row;
}

/** Finds a peer by id alone, for one that has yet to prove itself, to learn which account it claims. */
export async function findPeerById(tx: Reader, peerId: PeerId): Promise<PeerRow | undefined> {
  const { peers } = tx.t;
  const [row] = await tx.sql.select().from(peers).where(eq(peers.id, peerId));
  return row;
}

/** Device keys are unique across accounts. */
export async function findPeerByDeviceKey(tx: Reader, deviceKey: string): Promise<PeerRow | undefined> {
  const { peers } = tx.t;
  const [row] = await tx.sql.select().from(peers).where(eq(peers.deviceKey, deviceKey));
  return row;
}

/** `dnsName`: the labels below the account's domain. A machine's is its name. */
export async function findPeerByDnsName(
  tx: Reader,
  accountId: AccountId,
  dnsName: string,
): Promise<PeerRow | undefined> {
  const { peers } = tx.t;
  const [row] = await tx.sql
    .select()
    .from(peers)
    .where(and(eq(peers.accountId, accountId), eq(peers.dnsName, dnsName)));
  return row;
}

export async function findPeerByAddress(
  tx: Reader,
  accountId: AccountId,
  address: string,
): Promise<PeerRow | undefined> {
  const { peers } = tx.t;
  const [row] = await tx.sql
    .select()
    .from(peers)
    .where(and(eq(peers.accountId, accountId), eq(peers.address, address)));
  return row;
}

/** By name. */
export function listPeers(tx: Reader, accountId: AccountId): Promise<PeerRow[]> {
  const { peers } = tx.t;
  return tx.sql.select().from(peers).where(eq(peers.accountId, accountId)).orderBy(asc(peers.dnsName));
}

export async function countPeers(tx: Reader, accountId: AccountId): Promise<number> {
  const { peers } = tx.t;
  const [row] = await tx.sql.select({ peers: count() }).from(peers).where(eq(peers.accountId, accountId));
  return row?.peers ?? 0;
}

export function listPeersOfUser(tx: Reader, accountId: AccountId, userId: UserId): Promise<PeerRow[]> {
  const { peers } = tx.t;
  return tx.sql
    .select()
    .from(peers)
    .where(and(eq(peers.accountId, accountId), eq(peers.ownerUserId, userId)))
    .orderBy(asc(peers.dnsName));
}

/** Those of `peerIds` that exist in the account. */
export async function knownPeers(
  tx: Reader,
  accountId: AccountId,
  peerIds: readonly PeerId[],
): Promise<PeerRow[]> {
  const { peers } = tx.t;
  const found: PeerRow[] = [];
  const unique = [...new Set(peerIds)];
  for (let i = 0; i < unique.length; i += CHUNK) {
    const ids = unique.slice(i, i + CHUNK);
    found.push(
      ...(await tx.sql
        .select()
        .from(peers)
        .where(and(eq(peers.accountId, accountId), inArray(peers.id, ids)))),
    );
  }
  return found;
}

/** The columns that lists of peers show: fewer than a row has, since there may be thousands. */
export type ShownPeer = Pick<
  PeerRow,
  "id" | "name" | "displayName" | "dnsName" | "address" | "ownerUserId" | "lastSeenAt" | "facts"
>;

/** Those of `only` that exist, by name. */
export async function listShownPeers(
  tx: Reader,
  accountId: AccountId,
  only: ReadonlySet<PeerId>,
): Promise<ShownPeer[]> {
  const { peers } = tx.t;
  const { id, name, displayName, dnsName, address, ownerUserId, lastSeenAt, facts } = peers;
  const columns = { id, name, displayName, dnsName, address, ownerUserId, lastSeenAt, facts };
  const ours = eq(peers.accountId, accountId);
  const rows = await tx.sql
    .select(columns)
    .from(peers)
    .where(only.size <= CHUNK ? and(ours, inArray(peers.id, [...only])) : ours)
    .orderBy(asc(peers.dnsName));
  return rows.filter((row) => only.has(row.id));
}

/** Active machines by name. With `confirmed`, only those whose name an admin confirmed. */
export function listMachines(
  tx: Reader,
  accountId: AccountId,
  { confirmed }: { readonly confirmed: boolean },
): Promise<Pick<PeerRow, "id" | "dnsName" | "address">[]> {
  const { peers } = tx.t;
  const active = [eq(peers.accountId, accountId), eq(peers.kind, "machine"), eq(peers.status, "active")];
  return tx.sql
    .select({ id: peers.id, dnsName: peers.dnsName, address: peers.address })
    .from(peers)
    .where(and(...active, ...(confirmed ? [eq(peers.nameConfirmed, true)] : [])))
    .orderBy(asc(peers.dnsName));
}

export type PeerChange = Partial<Omit<PeerRow, "id" | "accountId" | "kind" | "createdAt">>;

/** Version at which a peer's map last changed, and the digest of its content. */
export interface MapVersion {
  readonly peerId: PeerId;
  readonly version: number;
  readonly digest: string;
}

/** Map versions of those peers that exist. Pass at most a few hundred ids. */
export async function findMapVersions(tx: Reader, peerIds: readonly PeerId[]): Promise<MapVersion[]> {
  const { peers } = tx.t;
  return await tx.sql
    .select({ peerId: peers.id, version: peers.mapVersion, digest: peers.mapDigest })
    .from(peers)
    .where(inArray(peers.id, [...peerIds]));
}

/** Writes map versions, `STAMPS_MAX` per statement. */
export async function storeMapVersions(tx: Writer, stamps: readonly MapVersion[]): Promise<void> {
  const { peers } = tx.t;
  for (let i = 0; i < stamps.length; i += STAMPS_MAX) {
    const some = stamps.slice(i, i + STAMPS_MAX);
    const versions = some.map(({ peerId, version }) => sql`WHEN ${peerId} THEN CAST(${version} AS bigint)`);
    const digests = some.map(({ peerId, digest }) => sql`WHEN ${peerId} THEN ${digest}`);
    await tx.sql
      .update(peers)
      .set({
        mapVersion: sql`CASE ${peers.id} ${sql.join(versions, sql` `)} END`,
        mapDigest: sql`CASE ${peers.id} ${sql.join(digests, sql` `)} END`,
      })
      .where(
        inArray(
          peers.id,
          some.map(({ peerId }) => peerId),
        ),
      );
  }
}

/** Sets when these peers were last seen. */
export async function touchPeersAt(
  tx: Writer,
  peerIds: readonly PeerId[],
  lastSeenAt: number,
): Promise<void> {
  const { peers } = tx.t;
  for (let i = 0; i < peerIds.length; i += CHUNK) {
    await tx.sql
      .update(peers)
      .set({ lastSeenAt })
      .where(inArray(peers.id, peerIds.slice(i, i + CHUNK)));
  }
}

/** For a new name use `renamePeer`, which reserves the old one. */
export async function updatePeer(
  tx: Writer,
  accountId: AccountId,
  peerId: PeerId,
  change: Omit<PeerChange, "name" | "dnsName">,
): Promise<void> {
  const { peers } = tx.t;
  await tx.sql
    .update(peers)
    .set(change)
    .where(and(eq(peers.accountId, accountId), eq(peers.id, peerId)));
}

/** Gives `peer` a name that `isNameFree` allows, and reserves its old one. */
export async function renamePeer(
  tx: Writer,
  peer: Pick<PeerRow, "id" | "accountId" | "dnsName">,
  to: { name: string; dnsName: string },
): Promise<void> {
  const { peers } = tx.t;
  if (to.dnsName === peer.dnsName) return;
  await reserveName(tx, peer);
  await releaseName(tx, peer.accountId, to.dnsName);
  await tx.sql.update(peers).set(to).where(eq(peers.id, peer.id));
}

/** Deletes a peer. Its name stays reserved until an admin releases it. */
export async function deletePeer(
  tx: Writer,
  peer: Pick<PeerRow, "id" | "accountId" | "dnsName">,
): Promise<void> {
  const { peers } = tx.t;
  await reserveName(tx, peer);
  await tx.sql.delete(peers).where(eq(peers.id, peer.id));
}

async function reserveName(tx: Writer, peer: Pick<PeerRow, "id" | "accountId" | "dnsName">): Promise<void> {
  const { reservedNames } = tx.t;
  const held = { peerId: peer.id, freedAt: nowSeconds(tx.clock) };
  await tx.sql
    .insert(reservedNames)
    .values({ accountId: peer.accountId, dnsName: peer.dnsName, ...held })
    .onConflictDoUpdate({ target: [reservedNames.accountId, reservedNames.dnsName], set: held });
}

/** Whether no peer has the name and it is not reserved. */
export async function isNameFree(tx: Reader, accountId: AccountId, dnsName: string): Promise<boolean> {
  if ((await findPeerByDnsName(tx, accountId, dnsName)) !== undefined) return false;
  return (await findReservedName(tx, accountId, dnsName)) === undefined;
}

export async function findReservedName(
  tx: Reader,
  accountId: AccountId,
  dnsName: string,
): Promise<Row<"reservedNames"> | undefined> {
  const { reservedNames } = tx.t;
  const [row] = await tx.sql
    .select()
    .from(reservedNames)
    .where(and(eq(reservedNames.accountId, accountId), eq(reservedNames.dnsName, dnsName)));
  return row;
}

/** By name. */
export function listReservedNames(tx: Reader, accountId: AccountId): Promise<Row<"reservedNames">[]> {
  const { reservedNames } = tx.t;
  return tx.sql
    .select()
    .from(reservedNames)
    .where(eq(reservedNames.accountId, accountId))
    .orderBy(asc(reservedNames.dnsName));
}

/** Releases a reserved name, so that another peer may take it. */
export async function releaseName(tx: Writer, accountId: AccountId, dnsName: string): Promise<void> {
  const { reservedNames } = tx.t;
  await tx.sql
    .delete(reservedNames)
    .where(and(eq(reservedNames.accountId, accountId), eq(reservedNames.dnsName, dnsName)));
}
