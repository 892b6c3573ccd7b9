/**
 * Words for users: their state, their roles, and what an edit changes.
 *
 * @module
 */
import type { Answer } from "../../api/client.ts";
import type { CsvColumn } from "../../components/csv.ts";
import { isNever } from "../../components/moments.ts";

export type User = Answer<"GET /api/users">[number];
export type Role = User["role"];

/** A user with the names of their groups. */
export interface Person extends User {
  readonly groups: readonly string[];
}

export type PersonState = "active" | "service" | "invited" | "waiting" | "blocked";

/** The first that applies. States that keep a user out come first. */
export function stateOf(user: User): PersonState {
  if (user.is_blocked) return "blocked";
  if (user.pending_approval) return "waiting";
  if (user.status === "invited") return "invited";
  return user.is_service_user ? "service" : "active";
}

/** The name, or else the email address. */
export function nameOf({ name, email }: Pick<User, "name" | "email">): string {
  return name || email;
}

const ROLES: readonly (readonly [role: Role, label: string])[] = [
  ["user", "User: their own access"],
  ["auditor", "Auditor: reads everything"],
  ["admin", "Admin: changes everything but owners"],
  ["owner", "Owner: everything"],
];

/** Roles that `actor` may grant. `current` is always included, because keeping it changes nothing. */
export function rolesFor(
  actor: Pick<User, "role">,
  { isServiceUser, current }: { readonly isServiceUser: boolean; readonly current?: Role },
): readonly { readonly value: Role; readonly label: string }[] {
  const canOwn = actor.role === "owner" && !isServiceUser;
  const choices = ROLES.filter(([role]) => role !== "owner" || canOwn || current === "owner");
  const known = choices.map(([value, label]) => ({ value, label }));
  if (current === undefined || choices.some(([role]) => role === current)) return known;
  return [{ value: current, label: current.replaceAll("_", " ") }, ...known];
}

export interface PersonDraft {
  readonly role: Role;
  /** Group ids. */
  readonly groups: readonly string[];
}

/** What saving the draft changes, one line each. Empty if nothing. */
export function changesOf(user: User, draft: PersonDraft, nameOfGroup: (id: string) => string): string[] {
  const joined = draft.groups.filter((id) => !user.auto_groups.includes(id)).map(nameOfGroup);
  const left = user.auto_groups.filter((id) => !draft.groups.includes(id)).map(nameOfGroup);
  return [
    ...(draft.role === user.role ? [] : [`Role: ${user.role} becomes ${draft.role}.`]),
    ...(joined.length === 0 ? [] : [`Joins ${joined.join(", ")}.`]),
    ...(left.length === 0 ? [] : [`Leaves ${left.join(", ")}.`]),
  ];
}

/** Columns of the CSV export. */
export const PEOPLE_CSV: readonly CsvColumn<Person>[] = [
  ["id", ({ id }) => id],
  ["name", ({ name }) => name],
  ["email", ({ email }) => email],
  ["kind", ({ is_service_user }) => (is_service_user ? "service user" : "person")],
  ["role", ({ role }) => role],
  ["state", stateOf],
  ["groups", ({ groups }) => groups.join("; ")],
  ["last_login", ({ last_login }) => (isNever(last_login) ? "" : last_login)],
];
