/**
 * The filter of a query for audit events. Names of people and machines have to fit one: what several did is
 * not shown as what one did.
 *
 * @module
 */
import { QfError } from "../../../base/errors.ts";
import { printable } from "../../../base/printable.ts";
import type { AuditQuery } from "../../../wire/admin-query.ts";
import { type AccountId, Id, type PeerId } from "../../../wire/units.ts";
import type { Reader } from "../../db/engine/transaction.ts";
import type { EventFilter } from "../../db/tables/audit-events.ts";
import { listPeersByName } from "../../db/tables/peer-names.ts";
import { listUsersNamed } from "../../db/tables/users.ts";

/** Most candidates that a refusal lists. */
const CANDIDATES_MAX = 5;

/** Throws ERR_CONFLICT naming the candidates when a name fits several people or several peers. */
export async function eventFilterOf(
  tx: Reader,
  accountId: AccountId,
  { user, machine, activity, since, until }: AuditQuery,
): Promise<EventFilter> {
  return {
    user: user === undefined ? undefined : await personOf(tx, accountId, user),
    peerIds: machine === undefined ? undefined : await peerIdsOf(tx, accountId, machine),
    activity,
    sinceMs: since === undefined ? undefined : Date.parse(since),
    untilMs: until === undefined ? undefined : Date.parse(until),
  };
}

/** The first key that fits decides. What fits nobody may be somebody who is gone. */
async function personOf(tx: Reader, accountId: AccountId, text: string): Promise<EventFilter["user"]> {
  const found = await listUsersNamed(tx, accountId, text);
  for (const by of ["id", "email", "name"] as const) {
    const fitting = found.filter((one) => one[by] === text);
    if (fitting.length > 1) {
      throw severalFit(
        text,
        "people",
        fitting.map(({ id, email }) => `${email} (${id})`),
      );
    }
    if (fitting.length === 1) return { by, text };
  }
  return { by: "any", text };
}

/** An unknown id is used as given, since the peer may be deleted. */
async function peerIdsOf(tx: Reader, accountId: AccountId, text: string): Promise<PeerId[]> {
  const found = await listPeersByName(tx, accountId, text);
  const given = Id.safeParse(text).success ? [text] : [];
  for (const by of ["dnsName", "name"] as const) {
    const fitting = found.filter((one) => one[by] === text);
    if (fitting.length > 1) {
      throw severalFit(
        text,
        "machines",
        fitting.map(({ id, dnsName }) => `${dnsName} (${id})`),
      );
    }
    if (fitting.length === 1) return [...given, ...fitting.map(({ id }) => id)];
  }
  return given;
}

function severalFit(text: string, kind: string, candidates: readonly string[]): QfError {
  const shown = candidates.slice(0, CANDIDATES_MAX).join(", ");
  return new QfError("ERR_CONFLICT", printable(`${JSON.stringify(text)} fits several ${kind}: ${shown}`), {
    hint: "give the id of the one you mean",
  });
}
