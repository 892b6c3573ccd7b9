/**
 * Look-up of peers by name.
 *
 * @module
 */
import { and, eq, or } from "drizzle-orm";
import type { AccountId, PeerId } from "../../../wire/units.ts";
import type { Reader } from "../engine/transaction.ts";

/** Ids of peers of any kind whose host name, or labels below the account's domain, are `name`. */
export async function listPeersByName(tx: Reader, accountId: AccountId, name: string): Promise<PeerId[]> {
  const { peers } = tx.t;
  const rows = await tx.sql
    .select({ id: peers.id })
    .from(peers)
    .where(and(eq(peers.accountId, accountId), or(eq(peers.name, name), eq(peers.dnsName, name))));
  return rows.map(({ id }) => id);
}
