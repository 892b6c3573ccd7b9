/**
 * Opening of requests: for approval at a machine, or for membership of a group.
 *
 * @module
 */
import { nowSeconds } from "../../base/clock.ts";
import { QfError } from "../../base/errors.ts";
import { newId } from "../../base/random.ts";
import { ruleToApprove } from "../../policy/decide/approval.ts";
import { decide } from "../../policy/decide/decide.ts";
import { findPeer as findMapPeer, findUser as findMapUser } from "../../policy/decide/snapshot.ts";
import { sentenceOf } from "../../policy/sentences.ts";
import {
  GROUP_REQUEST_WAIT_SECONDS,
  MACHINE_REQUEST_WAIT_SECONDS,
  WAITING_MAX,
  WAITING_OF_USER_MAX,
} from "../../wire/access-request.ts";
import type { AccountId, EpochSeconds, LocalUser, RuleId } from "../../wire/units.ts";
import type { ManagementContext } from "../contracts/context.ts";
import type { Reader } from "../db/engine/transaction.ts";
import type { ChangeWriter } from "../db/store.ts";
import {
  type AccessRequestRow,
  countWaiting,
  insertAccessRequest,
  listAccessRequests,
} from "../db/tables/access-requests.ts";
import { findGroup } from "../db/tables/groups.ts";
import type { LoginRow } from "../db/tables/logins.ts";
import type { PeerRow } from "../db/tables/peers.ts";
import { findRule } from "../db/tables/policies.ts";
import type { UserRow } from "../db/tables/users.ts";
import { reportedFlags } from "../login/target.ts";
import { recordRequest } from "./request-events.ts";
import { decidingGroups, type RequestTerms, termsOfGroup, termsOfRule } from "./request-terms.ts";

/** Who wants to be which local user on which machine, already authenticated and looked up. */
export interface MachineQuestion {
  readonly accountId: AccountId;
  readonly user: UserRow;
  readonly device: PeerRow;
  readonly machine: PeerRow;
  readonly localUser: LocalUser;
  /** Empty: none was given. */
  readonly reason: string;
  /** Undefined: the caller's login is unknown. It counts as fresh here; the machine checks again. */
  readonly login: Pick<LoginRow, "authTime" | "binding"> | undefined;
}

/**
 * The rule that an approval would satisfy. Throws ERR_NOT_FOUND when the caller may not know of the machine,
 * ERR_CONFLICT when no approval is needed, ERR_FORBIDDEN with the reason when one would not be enough.
 */
export async function findApprovable(
  ctx: Pick<ManagementContext, "maps" | "clock">,
  question: MachineQuestion,
): Promise<RuleId> {
  const { accountId, user, device, machine, login } = question;
  const snapshot = await ctx.maps.snapshotOf(accountId, machine.id);
  const isVisible =
    snapshot !== undefined &&
    (findMapUser(snapshot.map, user.id) ?? findMapPeer(snapshot.map, device.id)) !== undefined;
  if (!isVisible) throw new QfError("ERR_NOT_FOUND", "machine not found");
  const now = nowSeconds(ctx.clock);
  const request = {
    userId: user.id,
    devicePeerId: device.id,
    localUser: question.localUser,
    localUid: null,
    action: { kind: "connect" } as const,
    nowSeconds: now,
    authTimeSeconds: login === undefined ? now : login.authTime,
    binding: login?.binding ?? ("idp" as const),
    reason: question.reason,
    flags: reportedFlags(machine.flags),
  };
  const ruleId = ruleToApprove(request, snapshot);
  if (ruleId !== null) return ruleId;
  const decision = decide(request, snapshot);
  if (decision.kind === "allow") throw new QfError("ERR_CONFLICT", "this access needs no approval");
  const { sentence, hint } = sentenceOf(decision.reason);
  throw new QfError("ERR_FORBIDDEN", `${sentence.slice(0, 1).toLowerCase()}${sentence.slice(1)}`, {
    hint: decision.reason === "approval_required" ? "an approval alone would not let you in" : hint,
  });
}

/** Opens the request, or returns an identical one that already waits. */
export async function openMachineRequest(
  tx: ChangeWriter,
  question: MachineQuestion,
  { ruleId, seconds }: { readonly ruleId: RuleId; readonly seconds: number | undefined },
): Promise<AccessRequestRow> {
  const { accountId, user, device, machine, localUser, reason } = question;
  const rule = await findRule(tx, ruleId);
  if (rule === undefined || rule.accountId !== accountId) throw changed();
  const about = { devicePeerId: device.id, machinePeerId: machine.id, localUser, ruleId, groupId: null };
  return open(tx, user, { kind: "machine", about, terms: termsOfRule(rule), reason, seconds });
}

/** As `openMachineRequest`, for a group. Throws ERR_NOT_FOUND for one that cannot be requested. */
export async function openGroupRequest(
  tx: ChangeWriter,
  user: UserRow,
  asked: { readonly groupId: string; readonly reason: string; readonly seconds: number | undefined },
): Promise<AccessRequestRow> {
  const group = await findGroup(tx, user.accountId, asked.groupId);
  const terms = group === undefined ? null : termsOfGroup(group);
  if (group === undefined || terms === null) throw notRequestable();
  if ((await decidingGroups(tx, user.accountId)).has(group.id)) throw notRequestable();
  if (user.autoGroups.includes(group.id)) {
    throw new QfError("ERR_CONFLICT", "you are in this group already");
  }
  const about = { devicePeerId: null, machinePeerId: null, localUser: null, ruleId: null, groupId: group.id };
  return open(tx, user, { kind: "group", about, terms, reason: asked.reason, seconds: asked.seconds });
}

type About = Pick<AccessRequestRow, "devicePeerId" | "machinePeerId" | "localUser" | "ruleId" | "groupId">;

interface Order {
  readonly kind: AccessRequestRow["kind"];
  readonly about: About;
  readonly terms: RequestTerms;
  readonly reason: string;
  readonly seconds: number | undefined;
}

async function open(tx: ChangeWriter, user: UserRow, order: Order): Promise<AccessRequestRow> {
  const { kind, about, terms, reason } = order;
  const seconds = order.seconds ?? terms.secondsMax;
  if (seconds > terms.secondsMax) {
    throw new QfError(
      "ERR_UNPROCESSABLE",
      `seconds is more than ${terms.secondsMax}, which is the most here`,
    );
  }
  const same = await findSame(tx, user, about);
  if (same !== undefined) return same;
  await requireRoom(tx, user);
  const now = nowSeconds(tx.clock);
  const row: AccessRequestRow = {
    ...{ id: newId(), accountId: user.accountId, kind, state: "waiting", userId: user.id },
    ...about,
    ...{ terms: terms.digest, reason, seconds, createdAt: now, waitsUntil: now + waitOf(kind) },
    ...{ decidedAt: null, decidedBy: null, note: "", endsAt: null, endedAt: null, endCause: null },
  };
  await insertAccessRequest(tx, row);
  await recordRequest(tx, "access.request", row, { seconds: String(seconds) });
  return row;
}

function waitOf(kind: AccessRequestRow["kind"]): number {
  return kind === "machine" ? MACHINE_REQUEST_WAIT_SECONDS : GROUP_REQUEST_WAIT_SECONDS;
}

/** A waiting request for exactly the same: asking again does not open another. */
async function findSame(tx: Reader, user: UserRow, about: About): Promise<AccessRequestRow | undefined> {
  const own = await listAccessRequests(tx, user.accountId, {
    userId: user.id,
    states: ["waiting"],
    limit: WAITING_MAX,
  });
  const now: EpochSeconds = nowSeconds(tx.clock);
  const fields = ["devicePeerId", "machinePeerId", "localUser", "ruleId", "groupId"] as const;
  return own.find((row) => row.waitsUntil > now && fields.every((field) => row[field] === about[field]));
}

async function requireRoom(tx: Reader, user: UserRow): Promise<void> {
  if ((await countWaiting(tx, user.accountId, user.id)) >= WAITING_OF_USER_MAX) {
    throw new QfError("ERR_TOO_MANY", `${WAITING_OF_USER_MAX} requests of yours wait already`, {
      hint: "take one back with qf access end",
    });
  }
  if ((await countWaiting(tx, user.accountId)) >= WAITING_MAX) {
    throw new QfError("ERR_TOO_MANY", "too many requests wait in this account", { hint: "try again later" });
  }
}

function notRequestable(): QfError {
  return new QfError("ERR_NOT_FOUND", "group not found", {
    hint: "qf access groups lists those that can be asked for",
  });
}

function changed(): QfError {
  return new QfError("ERR_CONFLICT", "the policy has just changed", { hint: "try again" });
}
