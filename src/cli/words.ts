/** Text for people about users and groups. */
import { printable } from "../base/printable.ts";
import { Group, User } from "../wire/admin-api.ts";
import type { Admin } from "./admin.ts";

/** `Alice <alice@example.com>`, or the one of the two that exists. */
export function describeUser(user: { readonly name: string; readonly email: string }): string {
  const name = printable(user.name);
  const email = printable(user.email);
  if (email === "" || email === name) return name;
  return name === "" ? email : `${name} <${email}>`;
}

/** Maps group ids to names. Unknown ids stay unchanged. */
export async function groupNames(admin: Admin): Promise<(id: string) => string> {
  const { value } = await admin.request("GET", "/api/groups", { answer: Group.array() });
  const names = new Map(value.map((group) => [group.id, group.name]));
  return (id) => names.get(id) ?? id;
}

/** Maps user ids to e-mail addresses, else names. Unknown ids stay unchanged. */
export async function userNames(admin: Admin): Promise<(id: string) => string> {
  const { value } = await admin.request("GET", "/api/users", { answer: User.array() });
  const names = new Map(value.map((user) => [user.id, user.email || user.name]));
  return (id) => names.get(id) ?? id;
}
