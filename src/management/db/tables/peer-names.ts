/**
 * Look-up of peers by name.
 *
 * @module
 */
import { and, eq, or } from "drizzle-orm";
import type { AccountId, PeerId } from "../../../wire/units.ts";
import type { Reader } from "../engine/transaction.ts";

/** Peers of any kind whose host name, or labels below the account's domain, are `name`. */
export function listPeersByName(
  tx: Reader,
  accountId: AccountId,
  name: string,
): Promise<{ id: PeerId; name: string; dnsName: string }[]> {
  const { peers } = tx.t;
  return tx.sql
    .select({ id: peers.id, name: peers.name, dnsName: peers.dnsName })
    .from(peers)
    .where(and(eq(peers.accountId, accountId), or(eq(peers.name, name), eq(peers.dnsName, name))));
}
