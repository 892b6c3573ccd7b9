/** People and groups as they are written for people. */
import { printable } from "../base/printable.ts";
import { Group, User } from "../wire/admin-api.ts";
import type { Admin } from "./admin.ts";

/** `Alice <alice@example.com>`, or whichever of the two there is. */
export function describeUser(user: { readonly name: string; readonly email: string }): string {
  const name = printable(user.name);
  const email = printable(user.email);
  if (email === "" || email === name) return name;
  return name === "" ? email : `${name} <${email}>`;
}

/** Turns group ids into names; an id that names no group stays as it is. */
export async function groupNames(admin: Admin): Promise<(id: string) => string> {
  const { value } = await admin.request("GET", "/api/groups", { answer: Group.array() });
  const names = new Map(value.map((group) => [group.id, group.name]));
  return (id) => names.get(id) ?? id;
}

/** Turns user ids into e-mail addresses, else names; an id that names nobody stays as it is. */
export async function userNames(admin: Admin): Promise<(id: string) => string> {
  const { value } = await admin.request("GET", "/api/users", { answer: User.array() });
  const names = new Map(value.map((user) => [user.id, user.email || user.name]));
  return (id) => names.get(id) ?? id;
}
