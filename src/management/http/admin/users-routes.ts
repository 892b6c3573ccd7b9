/**
 * /api/users: people and service users. What the caller may do to whom is checked inside the transaction.
 *
 * @module
 */
import { nowSeconds } from "../../../base/clock.ts";
import { QfError } from "../../../base/errors.ts";
import { newId } from "../../../base/random.ts";
import { NEVER, User, UserCreateRequest, UserRequest } from "../../../wire/admin-api.ts";
import { Empty, NoQuery, SaveQuery, UserQuery } from "../../../wire/admin-query.ts";
import { endApprovedBy, endApprovedFor } from "../../access/decide-request.ts";
import type { Reader } from "../../db/engine/transaction.ts";
import type { ChangeWriter } from "../../db/store.ts";
import { revokeLoginsOf } from "../../db/tables/logins.ts";
import { listInvited } from "../../db/tables/password-links.ts";
import { deletePeer, listPeersOfUser } from "../../db/tables/peers.ts";
import { findPasswordUser, insertIdpAccount } from "../../db/tables/sign-in.ts";
import {
  deleteUser,
  EMBEDDED_ISSUER,
  findUser,
  insertUser,
  listUsers,
  SERVICE_ISSUER,
  type UserRow,
  updateUser,
} from "../../db/tables/users.ts";
import { deleteWebSessionsOf } from "../../db/tables/web-sessions.ts";
import { createPasswordLink, passwordProblem } from "../../idp/password-change.ts";
import { normaliseEmail } from "../../idp/passwords.ts";
import { mayCall, notFound } from "./access.ts";
import { groupsUntilOf, recordGroupsUntil, shownGroupsUntil } from "./groups-until.ts";
import { type Listing, listingById } from "./paging.ts";
import { permissionsOf } from "./permissions.ts";
import { requireAssignableGroups } from "./references.ts";
import { type Call, isoTime, type Route, route } from "./route.ts";
import { requireMayChange, requireMayTouch, requireOwnerRemains, requireRoleChange } from "./user-rules.ts";

export const userRoutes: readonly Route[] = [
  route({
    method: "get",
    path: "/api/users",
    summary: "Users; a plain user sees itself only",
    access: "self",
    query: UserQuery,
    answer: { listOf: User },
    handle: (call) => call.read((tx) => usersFor(call, tx)),
  }),
  route({
    method: "get",
    path: "/api/users/current",
    summary: "The caller",
    access: "self",
    query: NoQuery,
    answer: { one: User },
    handle: async (call) => ({
      ...asUser(call.user, call.user.id),
      permissions: permissionsOf(call.user.role),
    }),
  }),
  route({
    method: "post",
    path: "/api/users",
    summary: "Creates a user; with the embedded provider the answer holds the invitation link, once",
    access: "write",
    query: NoQuery,
    body: UserCreateRequest,
    answer: { one: User },
    also: [409, 412],
    handle: (call) => (call.body.is_service_user ? createServiceUser(call) : createPerson(call)),
  }),
  route({
    method: "put",
    path: "/api/users/:userId",
    summary: "Changes role, groups, blocking and approval",
    access: "write",
    query: SaveQuery,
    tests: "new",
    body: UserRequest,
    answer: { one: User },
    also: [409],
    handle: (call) => call.change({ affectsMaps: true }, (tx, actor) => changeUser(call, tx, actor)),
  }),
  route({
    method: "delete",
    path: "/api/users/:userId",
    summary: "Deletes a user with its tokens, logins and devices",
    access: "write",
    query: NoQuery,
    answer: { one: Empty },
    also: [409, 422],
    handle: (call) => call.change({ affectsMaps: true }, (tx, actor) => removeUser(call, tx, actor)),
  }),
];

async function usersFor(call: Call<undefined, UserQuery>, tx: Reader): Promise<Listing<User>> {
  const invited = await listInvited(tx, call.accountId);
  const all = mayCall(call.user.role, "read") ? await listUsers(tx, call.accountId) : [call.user];
  const wanted = call.query.service_user;
  const users = all.filter((user) => wanted === undefined || user.isServiceUser === (wanted === "true"));
  return listingById(call.query, users, (user) => asUser(user, call.user.id, invited.has(user.id)));
}

async function createServiceUser(call: Call<UserCreateRequest>): Promise<User> {
  const { name = "", email, password, role, auto_groups } = call.body;
  if (email !== undefined) throw new QfError("ERR_UNPROCESSABLE", "email is not for service users");
  if (password !== undefined) throw new QfError("ERR_UNPROCESSABLE", "password is not for service users");
  return call.change({ affectsMaps: true }, async (tx, actor) => {
    requireRoleChange(actor, { isServiceUser: true }, role);
    await requireAssignableGroups(tx, call.accountId, auto_groups);
    const id = newId();
    const user = newUserRow(call, {
      id,
      subject: id,
      issuer: SERVICE_ISSUER,
      email: "",
      name,
      isServiceUser: true,
    });
    await insertUser(tx, user);
    tx.record({ activity: "service.user.create", targetId: id, meta: { name } });
    return asUser(user, actor.id);
  });
}

async function createPerson(call: Call<UserCreateRequest>): Promise<User> {
  if (!call.ctx.oidc.embedded) {
    throw new QfError(
      "ERR_PRECONDITION_FAILED",
      "people come from the identity provider, at their first sign-in",
      {
        hint: "have them run qf login; service users can be created here",
      },
    );
  }
  const { email, name, role, auto_groups } = call.body;
  if (email === undefined) throw new QfError("ERR_UNPROCESSABLE", "email is missing: a person needs one");
  const key = normaliseEmail(email);
  const { password } = call.body;
  const problem = password === undefined ? null : passwordProblem(password);
  if (problem !== null) throw new QfError("ERR_UNPROCESSABLE", `password: ${problem}`);
  const passwordHash = password === undefined ? "" : await call.ctx.passwords().hash(password, key);
  return call.change({ affectsMaps: true }, async (tx, actor) => {
    requireRoleChange(actor, { isServiceUser: false }, role);
    await requireAssignableGroups(tx, call.accountId, auto_groups);
    if ((await findPasswordUser(tx, { email: key })) !== undefined) {
      throw new QfError("ERR_CONFLICT", "there is a user with this e-mail address already");
    }
    const subject = newId();
    const shown = name ?? (key.split("@")[0] as string);
    const user = newUserRow(call, { subject, issuer: EMBEDDED_ISSUER, email: key, name: shown });
    await insertUser(tx, user);
    const now = nowSeconds(tx.clock);
    await insertIdpAccount(tx, {
      id: subject,
      accountId: call.accountId,
      userId: user.id,
      email: key,
      passwordHash,
      passwordChangedAt: now,
      mustChange: password !== undefined,
      failedAttempts: 0,
      lockedUntil: null,
      createdAt: now,
    });
    tx.record({ activity: "user.create", targetId: user.id, meta: { email: key, role } });
    if (password !== undefined) return asUser(user, actor.id);
    return { ...asUser(user, actor.id, true), ...(await invite(call, tx, user)) };
  });
}

/** Creates the invitation of a person who has not chosen a password yet. */
async function invite(
  call: Pick<Call, "ctx">,
  tx: ChangeWriter,
  user: UserRow,
): Promise<{ invite_link: string; invite_expires_at: string }> {
  const link = await createPasswordLink(tx, call.ctx.origin, { userId: user.id, kind: "invitation" });
  tx.record({ activity: "user.invite", targetId: user.id, meta: { email: user.email } });
  return { invite_link: link.url, invite_expires_at: isoTime(link.expiresAt) };
}

function newUserRow(
  call: Call<UserCreateRequest>,
  who: Pick<UserRow, "subject" | "issuer" | "email" | "name"> & Partial<UserRow>,
): UserRow {
  return {
    id: newId(),
    accountId: call.accountId,
    role: call.body.role,
    autoGroups: [...new Set(call.body.auto_groups)],
    isServiceUser: false,
    autoGroupsUntil: null,
    isBlocked: false,
    pendingApproval: false,
    createdAt: nowSeconds(call.ctx.clock),
    lastLoginAt: null,
    ...who,
  };
}

async function changeUser(call: Call<UserRequest>, tx: ChangeWriter, actor: UserRow): Promise<User> {
  const user = await findUser(tx, call.accountId, call.param("userId"));
  if (user === undefined) throw notFound("user");
  const { role, auto_groups, is_blocked, pending_approval } = call.body;
  requireRoleChange(actor, user, role);
  if (is_blocked !== user.isBlocked) requireMayTouch(actor, user, is_blocked ? "block" : "unblock");
  const pendingApproval = pending_approval ?? user.pendingApproval;
  // A waiting user can neither sign in nor use tokens, so making one wait amounts to a block.
  const isSuspended = pendingApproval && !user.pendingApproval;
  if (pendingApproval !== user.pendingApproval)
    requireMayTouch(actor, user, isSuspended ? "block" : "approve");
  const added = auto_groups.filter((id) => !user.autoGroups.includes(id));
  const removed = user.autoGroups.filter((id) => !auto_groups.includes(id));
  if (added.length + removed.length > 0) requireMayChange(actor, user);
  await requireAssignableGroups(tx, call.accountId, added);
  const autoGroupsUntil = await groupsUntilOf(call, tx, { actor, user });
  const now: UserRow = {
    ...user,
    role,
    autoGroups: [...new Set(auto_groups)],
    autoGroupsUntil,
    isBlocked: is_blocked,
    pendingApproval,
  };
  const { autoGroups, isBlocked } = now;
  const change = { role, autoGroups, autoGroupsUntil, isBlocked, pendingApproval };
  await updateUser(tx, call.accountId, user.id, change);
  await requireOwnerRemains(tx, call.accountId);
  if ((isBlocked && !user.isBlocked) || isSuspended) await endApprovedBy(tx, user);
  if (isBlocked && !user.isBlocked) {
    await revokeLoginsOf(tx, { userId: user.id });
    await deleteWebSessionsOf(tx, user.id);
  }
  const meta = { user: user.name };
  const record = (activity: Parameters<typeof tx.record>[0]["activity"], more: Record<string, string> = {}) =>
    tx.record({ activity, targetId: user.id, meta: { ...meta, ...more } });
  if (role !== user.role) record("user.role.update", { from: user.role, to: role });
  if (isBlocked !== user.isBlocked) record(isBlocked ? "user.block" : "user.unblock");
  if (isSuspended) record("user.block", { until: "approved" });
  if (user.pendingApproval && !pendingApproval) record("user.approve");
  for (const group of added) record("user.group.add", { group });
  for (const group of removed) record("user.group.delete", { group });
  recordGroupsUntil(tx, user, now);
  return asUser(now, actor.id);
}

async function removeUser(
  call: Call<undefined, Record<string, never>>,
  tx: ChangeWriter,
  actor: UserRow,
): Promise<Record<string, never>> {
  const user = await findUser(tx, call.accountId, call.param("userId"));
  if (user === undefined) throw notFound("user");
  requireMayTouch(actor, user, "delete");
  await endApprovedBy(tx, user);
  await endApprovedFor(tx, user);
  // One at a time, so that each name stays reserved.
  for (const peer of await listPeersOfUser(tx, call.accountId, user.id)) {
    await deletePeer(tx, peer);
    tx.record({ activity: "peer.delete", targetId: peer.id, meta: { name: peer.dnsName, user: user.name } });
  }
  await deleteUser(tx, call.accountId, user.id);
  await requireOwnerRemains(tx, call.accountId);
  const activity = user.isServiceUser ? "service.user.delete" : "user.delete";
  tx.record({ activity, targetId: user.id, meta: { name: user.name, email: user.email } });
  return {};
}

/** `isInvited`: the user has not chosen a password yet. */
export function asUser(user: UserRow, currentId: string, isInvited = false): User {
  return {
    id: user.id,
    email: user.email,
    name: user.name,
    role: user.role,
    auto_groups: user.autoGroups,
    ...shownGroupsUntil(user),
    status: user.isBlocked ? "blocked" : isInvited ? "invited" : "active",
    last_login: user.lastLoginAt === null ? NEVER : isoTime(user.lastLoginAt),
    is_current: user.id === currentId,
    is_service_user: user.isServiceUser,
    is_blocked: user.isBlocked,
    pending_approval: user.pendingApproval,
    issued: "api",
    idp_id: "",
  };
}
