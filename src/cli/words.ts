/** Times and people as they are written for people. */
import { systemClock } from "../base/clock.ts";
import { printable } from "../base/printable.ts";
import { Group, User } from "../wire/admin-api.ts";
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

/** Turns user ids into e-mail addresses, else names; an id that names nobody stays as it is. */
export async function userNames(admin: Admin): Promise<(id: string) => string> {
  const { value } = await admin.request("GET", "/api/users", { answer: User.array() });
  const names = new Map(value.map((user) => [user.id, user.email || user.name]));
  return (id) => names.get(id) ?? id;
}

const STEPS: readonly (readonly [seconds: number, unit: string])[] = [
  [86_400, "d"],
  [3_600, "h"],
  [60, "min"],
  [1, "s"],
];

/** `3 h ago`, from an RFC 3339 time; `never` for the time that stands for it, and for none. */
export function agoText(time: string, nowMs: number = systemClock.nowMs()): string {
  const atMs = Date.parse(time);
  if (!(atMs > 0)) return "never";
  const seconds = Math.max(0, Math.round((nowMs - atMs) / 1000));
  const [size, unit] = STEPS.find(([step]) => seconds >= step) ?? [1, "s"];
  return `${Math.floor(seconds / size)} ${unit} ago`;
}
