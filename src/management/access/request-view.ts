/**
 * Requests as the API returns them: with names, and with what the caller may do about each.
 *
 * @module
 */
import { nowSeconds } from "../../base/clock.ts";
import { sha256 } from "../../base/random.ts";
import { canonicalJson } from "../../log/canonical-json.ts";
import type { AccessRequest } from "../../wire/access-request.ts";
import type { AccountId } from "../../wire/units.ts";
import type { Reader } from "../db/engine/transaction.ts";
import type { AccessRequestRow } from "../db/tables/access-requests.ts";
import { knownGroups, listGroups } from "../db/tables/groups.ts";
import { knownPeers, shownPeerName } from "../db/tables/peers.ts";
import { knownUsers, type UserRow } from "../db/tables/users.ts";
import { decidingGroups, isApprover, type RequestTerms, termsOf } from "./request-terms.ts";

/** A request, with what a decision about it needs. */
export interface SeenRequest {
  readonly row: AccessRequestRow;
  readonly answer: AccessRequest;
  /** Whether the caller is one of its approvers, whatever its state. */
  readonly isApprover: boolean;
}

/** The requests as `caller` sees them. Whether they may see them must be checked before. */
export async function seeRequests(
  tx: Reader,
  rows: readonly AccessRequestRow[],
  { caller, origin }: { readonly caller: UserRow; readonly origin: string },
): Promise<SeenRequest[]> {
  const accountId = caller.accountId;
  const names = await namesOf(tx, accountId, rows);
  const allGroupId = (await listGroups(tx, accountId)).find(({ isAll }) => isAll)?.id ?? null;
  let known: ReturnType<typeof decidingGroups> | undefined;
  const deciding = () => {
    known ??= decidingGroups(tx, accountId); // Reads all groups and policies, so once and not for each row.
    return known;
  };
  const seen: SeenRequest[] = [];
  for (const row of rows) {
    const terms = await termsOf(tx, row, deciding);
    const mayApprove = isApprover(caller, terms ?? { approverGroups: [] }, allGroupId);
    const about = { terms, names, caller, origin, mayApprove, now: nowSeconds(tx.clock) };
    seen.push({ row, answer: await answerOf(tx, row, about), isApprover: mayApprove });
  }
  return seen;
}

interface Named {
  readonly id: string;
  readonly name: string;
}

interface Names {
  readonly users: ReadonlyMap<string, UserRow>;
  peer(id: string | null): Named | null;
  group(id: string | null): Named | null;
}

async function namesOf(tx: Reader, accountId: AccountId, rows: readonly AccessRequestRow[]): Promise<Names> {
  const ids = (pick: (row: AccessRequestRow) => (string | null)[]): string[] => [
    ...new Set(rows.flatMap(pick).filter((id) => id !== null)),
  ];
  const users = await knownUsers(
    tx,
    accountId,
    ids(({ userId, decidedBy }) => [userId, decidedBy]),
  );
  const peers = await knownPeers(
    tx,
    accountId,
    ids((row) => [row.devicePeerId, row.machinePeerId]),
  );
  const groups = await knownGroups(
    tx,
    accountId,
    ids(({ groupId }) => [groupId]),
  );
  const peerNames = new Map(peers.map((peer) => [peer.id, shownPeerName(peer)]));
  const groupNames = new Map(groups.map(({ id, name }) => [id, name]));
  const named = (from: ReadonlyMap<string, string>) => (id: string | null) =>
    id === null ? null : { id, name: from.get(id) ?? id };
  return {
    users: new Map(users.map((user) => [user.id, user])),
    peer: named(peerNames),
    group: named(groupNames),
  };
}

interface Around {
  readonly terms: RequestTerms | null;
  readonly names: Names;
  readonly caller: UserRow;
  readonly origin: string;
  readonly mayApprove: boolean;
  readonly now: number;
}

async function answerOf(tx: Reader, row: AccessRequestRow, around: Around): Promise<AccessRequest> {
  const { terms, names, caller, origin, mayApprove, now } = around;
  const user = names.users.get(row.userId);
  const approvers = await knownGroups(tx, row.accountId, terms?.approverGroups ?? []);
  const isOwn = row.userId === caller.id;
  const isWaiting = row.state === "waiting" && now < row.waitsUntil;
  const isLive = row.state === "approved" && row.endsAt !== null && now < row.endsAt;
  const mayTakeBack = mayApprove || caller.role === "owner" || caller.role === "admin";
  const shown = {
    ...{ id: row.id, kind: row.kind },
    user: { id: row.userId, name: user?.name ?? "", email: user?.email ?? "" },
    device: names.peer(row.devicePeerId),
    machine: names.peer(row.machinePeerId),
    local_user: row.localUser,
    group: names.group(row.groupId),
    ...{ reason: row.reason, seconds: row.seconds },
    seconds_max: Math.min(row.seconds, terms?.secondsMax ?? row.seconds),
    approver_groups: approvers.map(({ id, name }) => ({ id, name })),
  };
  const decider = row.decidedBy === null ? undefined : names.users.get(row.decidedBy);
  return {
    ...shown,
    state: row.state,
    created_at: isoTime(row.createdAt),
    waits_until: isoTime(row.waitsUntil),
    url: `${origin}/requests/${row.id}`,
    decided_at: timeOrNull(row.decidedAt),
    decided_by: row.decidedBy === null ? null : { id: row.decidedBy, name: decider?.name ?? "" },
    note: row.note,
    ends_at: timeOrNull(row.endsAt),
    ended_at: timeOrNull(row.endedAt),
    end_cause: row.endCause,
    is_own: isOwn,
    may_decide: isWaiting && mayApprove && !isOwn,
    may_end: (isOwn && (isWaiting || isLive)) || (isLive && mayTakeBack),
    digest: sha256(canonicalJson([shown, terms?.digest ?? null])),
  };
}

function timeOrNull(seconds: number | null): string | null {
  return seconds === null ? null : isoTime(seconds);
}

function isoTime(seconds: number): string {
  return new Date(seconds * 1000).toISOString();
}
