/**
 * /api/access: requests for an approval at a machine or for a group membership, decisions on them, and their
 * ends.
 *
 * @module
 */
import { nowSeconds } from "../../../base/clock.ts";
import { QfError } from "../../../base/errors.ts";
import {
  AccessDecision,
  AccessRequest,
  AccessRequestQuery,
  AccessRequestsQuery,
  AccessRequestWrite,
  DECISION_AUTH_SECONDS,
  RequestableGroup,
} from "../../../wire/access-request.ts";
import { NoQuery } from "../../../wire/admin-query.ts";
import type { LocalUser } from "../../../wire/units.ts";
import { decideRequest, takeBack } from "../../access/decide-request.ts";
import {
  findApprovable,
  type MachineQuestion,
  openGroupRequest,
  openMachineRequest,
} from "../../access/open-request.ts";
import { decidingGroups, termsOfGroup } from "../../access/request-terms.ts";
import { type SeenRequest, seeRequests } from "../../access/request-view.ts";
import { waitForDecision } from "../../access/wait-for-decision.ts";
import type { Reader } from "../../db/engine/transaction.ts";
import { findAccessRequest, listAccessRequests } from "../../db/tables/access-requests.ts";
import { findAccount } from "../../db/tables/accounts.ts";
import { findToken } from "../../db/tables/api-tokens.ts";
import { listGroups } from "../../db/tables/groups.ts";
import { findLogin, type LoginRow } from "../../db/tables/logins.ts";
import { findPeer, type PeerRow } from "../../db/tables/peers.ts";
import { findTarget } from "../../login/target.ts";
import { mayCall, notFound, requireRecentSignIn } from "./access.ts";
import type { Listing } from "./paging.ts";
import { type Call, isoTime, type Route, route } from "./route.ts";

/** Most requests in one answer, newest first. */
const LISTED_MAX = 500;

export const accessRequestRoutes: readonly Route[] = [
  route({
    method: "get",
    path: "/api/access/requests",
    summary: "Requests for access: one's own, those that one decides about, and for who reads all, all",
    access: "self",
    query: AccessRequestsQuery,
    answer: { listOf: AccessRequest },
    handle: (call) => call.read((tx) => requestsFor(call, tx)),
  }),
  route({
    method: "post",
    path: "/api/access/requests",
    summary: "Asks for an approval at a machine, or for a group for a while",
    access: "self",
    query: NoQuery,
    body: AccessRequestWrite,
    answer: { one: AccessRequest },
    also: [404, 409, 422, 429],
    handle: (call) => (call.body.kind === "machine" ? askForMachine(call) : askForGroup(call)),
  }),
  route({
    method: "get",
    path: "/api/access/requests/:requestId",
    summary: "One request; with wait_seconds not before it is decided",
    access: "self",
    query: AccessRequestQuery,
    answer: { one: AccessRequest },
    also: [429],
    handle: (call) => oneRequest(call),
  }),
  route({
    method: "post",
    path: "/api/access/requests/:requestId/decision",
    summary: "Approves or denies a request; takes a person who signed in within the last 5 minutes",
    access: "self",
    query: NoQuery,
    body: AccessDecision,
    answer: { one: AccessRequest },
    also: [409, 422, 429],
    handle: (call) =>
      call.change({}, async (tx, actor) => {
        const seen = await visibleRequest(call, tx);
        await requireRecentSignIn(tx, call.principal, DECISION_AUTH_SECONDS);
        if (seen.answer.digest !== call.body.digest) {
          throw new QfError("ERR_CONFLICT", "the request is not as it was shown", {
            hint: "look at it again",
          });
        }
        const row = await decideRequest(tx, seen.row, { actor, ...call.body });
        return (await seen1(call, tx, row)).answer;
      }),
  }),
  route({
    method: "delete",
    path: "/api/access/requests/:requestId",
    summary: "Takes back a request of one's own, or ends what was approved",
    access: "self",
    query: NoQuery,
    answer: { one: AccessRequest },
    also: [409],
    handle: (call) =>
      call.change({}, async (tx, actor) => {
        const { row, answer, isApprover } = await visibleRequest(call, tx);
        if (!answer.is_own && !isApprover && !mayCall(actor.role, "write")) {
          throw new QfError("ERR_FORBIDDEN", "you do not decide about this request");
        }
        return (await seen1(call, tx, await takeBack(tx, row, actor))).answer;
      }),
  }),
  route({
    method: "get",
    path: "/api/access/groups",
    summary: "Groups that the caller may ask to be in for a while",
    access: "self",
    query: NoQuery,
    answer: { listOf: RequestableGroup },
    handle: (call) => call.read((tx) => requestableGroups(call, tx)),
  }),
];

type AnyCall = Call<unknown, unknown>;

async function requestsFor(
  call: Call<undefined, AccessRequestsQuery>,
  tx: Reader,
): Promise<Listing<AccessRequest>> {
  const { which, state } = call.query;
  const { user, accountId, ctx } = call;
  const rows = await listAccessRequests(tx, accountId, {
    ...(which === "own" ? { userId: user.id } : {}),
    ...(which === "decide" ? { states: ["waiting"] } : state === undefined ? {} : { states: [state] }),
    limit: LISTED_MAX,
  });
  const seen = await seeRequests(tx, rows, { caller: user, origin: ctx.origin });
  const items = seen
    .filter((one) => (which === "decide" ? one.answer.may_decide : isVisible(call, one)))
    .map(({ answer }) => answer);
  return { items, total: items.length, next: null };
}

/** Whether the caller sees a request: their own, one they decide about, or any for a role that reads all. */
function isVisible({ user }: Pick<AnyCall, "user">, { answer, isApprover }: SeenRequest): boolean {
  return answer.is_own || isApprover || mayCall(user.role, "read");
}

async function visibleRequest(call: AnyCall, tx: Reader): Promise<SeenRequest> {
  const row = await findAccessRequest(tx, call.accountId, call.param("requestId"));
  const seen = row === undefined ? undefined : await seen1(call, tx, row);
  if (seen === undefined || !isVisible(call, seen)) throw notFound("request");
  return seen;
}

async function seen1(call: AnyCall, tx: Reader, row: SeenRequest["row"]): Promise<SeenRequest> {
  const [seen] = await seeRequests(tx, [row], { caller: call.user, origin: call.ctx.origin });
  if (seen === undefined) throw notFound("request");
  return seen;
}

async function oneRequest(call: Call<undefined, AccessRequestQuery>): Promise<AccessRequest> {
  const look = () => call.read(async (tx) => (await visibleRequest(call, tx)).answer);
  const { wait_seconds = 0 } = call.query;
  const { ctx, accountId, user, signal } = call;
  const timeoutMs = wait_seconds * 1000;
  return waitForDecision(ctx.store, { accountId, userId: user.id, signal, timeoutMs, look });
}

async function askForMachine(call: Call<AccessRequestWrite>): Promise<AccessRequest> {
  const { machine: typed, local_user, reason = "", seconds } = call.body;
  if (typed === undefined || local_user === undefined) {
    throw new QfError("ERR_UNPROCESSABLE", "machine and local_user are missing");
  }
  const { device, machine, login } = await call.read((tx) => whereFrom(call, tx, typed));
  const localUser: LocalUser = local_user;
  const { accountId, user, ctx } = call;
  const question: MachineQuestion = { accountId, user, device, machine, localUser, reason, login };
  const ruleId = await findApprovable(ctx, question);
  return call.change({}, async (tx, actor) => {
    const row = await openMachineRequest(tx, { ...question, user: actor }, { ruleId, seconds });
    return (await seen1(call, tx, row)).answer;
  });
}

async function askForGroup(call: Call<AccessRequestWrite>): Promise<AccessRequest> {
  const { group, reason, seconds } = call.body;
  if (group === undefined) throw new QfError("ERR_UNPROCESSABLE", "group is missing");
  if (reason === undefined) throw new QfError("ERR_UNPROCESSABLE", "reason is missing: say what it is for");
  return call.change({}, async (tx, actor) => {
    const row = await openGroupRequest(tx, actor, { groupId: group, reason, seconds });
    return (await seen1(call, tx, row)).answer;
  });
}

/** The caller's device, the target machine, and the login if the token belongs to one. */
async function whereFrom(
  { accountId, user, principal, body }: Call<AccessRequestWrite>,
  tx: Reader,
  typed: string,
): Promise<{ device: PeerRow; machine: PeerRow; login: LoginRow | undefined }> {
  const { kind, id } = principal.credential;
  const token = kind === "token" ? await findToken(tx, accountId, user.id, id) : undefined;
  const login = token?.loginId ? await findLogin(tx, token.loginId) : undefined;
  const deviceId = body.device ?? login?.devicePeerId ?? undefined;
  if (deviceId === undefined) {
    throw new QfError("ERR_UNPROCESSABLE", "device is missing: an approval is for one device");
  }
  const device = await findPeer(tx, accountId, deviceId);
  if (device?.kind !== "device" || device.ownerUserId !== user.id) throw notFound("device");
  const account = await findAccount(tx, accountId);
  const machine = account === undefined ? undefined : await findTarget(tx, account, typed.toLowerCase());
  if (machine === undefined) throw notFound("machine");
  // A login counts only for its own device.
  return { device, machine, login: login?.devicePeerId === device.id ? login : undefined };
}

async function requestableGroups(call: AnyCall, tx: Reader): Promise<Listing<RequestableGroup>> {
  const { accountId, user } = call;
  const groups = await listGroups(tx, accountId);
  const deciding = await decidingGroups(tx, accountId);
  const now = nowSeconds(tx.clock);
  const nameOf = new Map(groups.map(({ id, name }) => [id, name]));
  const items = groups.flatMap((group): RequestableGroup[] => {
    const terms = deciding.has(group.id) ? null : termsOfGroup(group);
    if (terms === null) return [];
    const until = (user.autoGroupsUntil ?? []).filter((one) => one.groupId === group.id && one.until > now);
    const latest = Math.max(0, ...until.map((one) => one.until));
    const isStanding = user.autoGroups.includes(group.id);
    return [
      {
        ...{ id: group.id, name: group.name, request_seconds_max: terms.secondsMax },
        approver_groups: terms.approverGroups.map((id) => ({ id, name: nameOf.get(id) ?? id })),
        member: isStanding ? "standing" : latest === 0 ? null : isoTime(latest),
      },
    ];
  });
  return { items, total: items.length, next: null };
}
