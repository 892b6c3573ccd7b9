/** Times and people as they are written for people. */
import { printable } from "../base/printable.ts";
import { Group } from "../wire/admin-api.ts";
import type { Admin } from "./admin.ts";

/** `2026-11-20 14:03:00 UTC`. */
export function timeText(epochSeconds: number): string {
  return `${new Date(epochSeconds * 1000).toISOString().slice(0, 19).replace("T", " ")} UTC`;
}

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
