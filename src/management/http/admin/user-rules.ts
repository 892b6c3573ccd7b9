/**
 * Who may do what to whom: an admin all but to owners, nobody to themselves, and an owner remains.
 *
 * Nobody locks themselves out, so the caller, who is an owner or an admin, is still there afterwards;
 * and only owners touch owners, so the last owner cannot go.
 *
 * @module
 */
import { QfError } from "../../../base/errors.ts";
import type { Role } from "../../../wire/admin-api.ts";
import type { UserRow } from "../../db/tables/users.ts";

/** Refuses giving `role` to `user` (null: to a new one). An unchanged role is no change. */
export function requireRoleChange(
  actor: Pick<UserRow, "id" | "role">,
  user: Pick<UserRow, "id" | "role"> | null,
  role: Role,
): void {
  if (user?.role === role) return;
  if (user?.id === actor.id) throw new QfError("ERR_FORBIDDEN", "nobody changes their own role");
  if (actor.role !== "owner" && (role === "owner" || user?.role === "owner")) {
    throw new QfError("ERR_FORBIDDEN", "only an owner gives or takes the role owner");
  }
}

/** Refuses blocking, unblocking or deleting `user`. */
export function requireMayTouch(
  actor: Pick<UserRow, "id" | "role">,
  user: Pick<UserRow, "id" | "role">,
  what: "block" | "unblock" | "delete",
): void {
  if (user.id === actor.id) throw new QfError("ERR_FORBIDDEN", `nobody may ${what} themselves`);
  if (user.role === "owner" && actor.role !== "owner") {
    throw new QfError("ERR_FORBIDDEN", `only an owner may ${what} an owner`);
  }
}

/**
 * Refuses tokens for others: a token is its user, so nobody makes one for another person, and an admin
 * none for a service user above them.
 */
export function requireMayMakeTokenFor(
  actor: Pick<UserRow, "id" | "role">,
  user: Pick<UserRow, "id" | "role" | "isServiceUser">,
): void {
  if (user.id === actor.id) return;
  if (!user.isServiceUser) {
    throw new QfError("ERR_FORBIDDEN", "nobody makes a token for another person", {
      hint: "a service user can have tokens made for it",
    });
  }
  if (user.role === "owner" && actor.role !== "owner") {
    throw new QfError("ERR_FORBIDDEN", "only an owner makes a token for an owner");
  }
}
