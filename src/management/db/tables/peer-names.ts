/**
 * Peers by what people call them.
 *
 * @module
 */
import { and, eq, or } from "drizzle-orm";
import type { AccountId, PeerId } from "../../../wire/units.ts";
import type { Reader } from "../engine/transaction.ts";

/** Ids of peers of that name, of any kind: the name, or with the labels before the account's domain. */
export async function listPeersByName(tx: Reader, accountId: AccountId, name: string): Promise<PeerId[]> {
  const { peers } = tx.t;
  const rows = await tx.sql
    .select({ id: peers.id })
    .from(peers)
    .where(and(eq(peers.accountId, accountId), or(eq(peers.name, name), eq(peers.dnsName, name))));
  return rows.map(({ id }) => id);
}
