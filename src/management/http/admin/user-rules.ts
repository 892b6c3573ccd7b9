/**
 * Rules on who may change which user: admins change anyone but owners, no one changes themselves, and an
 * owner always remains.
 *
 * The caller, an owner or an admin, cannot lock themselves out. Only owners change owners, so the last owner
 * cannot be removed.
 *
 * @module
 */
import { QfError } from "../../../base/errors.ts";
import type { Role } from "../../../wire/admin-api.ts";
import type { Reader } from "../../db/engine/transaction.ts";
import { countOwners, type UserRow } from "../../db/tables/users.ts";

/**
 * Refuses a `role` that `actor` may not give to `user`; a new user has no id. An unchanged role is allowed
 * unless such a user may not have it.
 */
export function requireRoleChange(
  actor: Pick<UserRow, "id" | "role">,
  user: Partial<Pick<UserRow, "id" | "role">> & Pick<UserRow, "isServiceUser">,
  role: Role,
): void {
  if (user.isServiceUser && role === "owner") {
    throw new QfError("ERR_UNPROCESSABLE", "a service user cannot be an owner", {
      hint: "an owner is a person; give the service user the role admin",
    });
  }
  if (user.role === role) return;
  if (user.id === actor.id) throw new QfError("ERR_FORBIDDEN", "nobody changes their own role");
  if (actor.role !== "owner" && (role === "owner" || user.role === "owner")) {
    throw new QfError("ERR_FORBIDDEN", "only an owner gives or takes the role owner");
  }
}

/** Refuses any change of an owner by someone who is not one. */
export function requireMayChange(
  actor: Pick<UserRow, "role">,
  user: Pick<UserRow, "role">,
  what = "change",
): void {
  if (user.role === "owner" && actor.role !== "owner") {
    throw new QfError("ERR_FORBIDDEN", `only an owner may ${what} an owner`);
  }
}

/**
 * Refuses changing whether `user` may sign in, if that is the caller, or an owner and the caller is not one.
 */
export function requireMayTouch(
  actor: Pick<UserRow, "id" | "role">,
  user: Pick<UserRow, "id" | "role">,
  what: "block" | "unblock" | "approve" | "delete",
): void {
  // NetBird answers 422 to users who would delete themselves.
  const code = what === "delete" ? "ERR_UNPROCESSABLE" : "ERR_FORBIDDEN";
  if (user.id === actor.id) throw new QfError(code, `nobody may ${what} themselves`);
  requireMayChange(actor, user, what);
}

/**
 * Throws ERR_CONFLICT when no owner is left who can sign in. Call it at the end of a transaction that changes
 * users.
 */
export async function requireOwnerRemains(tx: Reader, accountId: string): Promise<void> {
  if ((await countOwners(tx, accountId)) > 0) return;
  throw new QfError("ERR_CONFLICT", "the account would have no owner left", {
    hint: "give somebody else the role owner first",
  });
}

/** Refuses tokens for another person, since a token acts as its user. */
export function requireMayMakeTokenFor(
  actor: Pick<UserRow, "id">,
  user: Pick<UserRow, "id" | "isServiceUser">,
): void {
  if (user.id === actor.id || user.isServiceUser) return;
  throw new QfError("ERR_FORBIDDEN", "nobody makes a token for another person", {
    hint: "a service user can have tokens made for it",
  });
}
