/**
 * `--authorized-groups GROUP=USER,...`: OS users for the people of a group.
 *
 * @module
 */
import { QfError } from "../base/errors.ts";
import type { Admin } from "./admin.ts";
import { parseList, parseRepeated } from "./parse.ts";

/** The rule's field: OS users by group id. Throws ERR_USAGE, or ERR_NOT_FOUND for an unknown group. */
export async function authorizedIds(
  admin: Pick<Admin, "groupIds">,
  text: string,
): Promise<Record<string, string[]>> {
  const authorized = parseAuthorized(parseRepeated(text));
  const ids = await admin.groupIds([...authorized.keys()]);
  return Object.fromEntries([...authorized.values()].map((users, index) => [ids[index] ?? "", users]));
}

/** Parses entries of `GROUP=USER,USER`. A group named twice gets both lists. Throws ERR_USAGE. */
export function parseAuthorized(entries: readonly string[]): Map<string, string[]> {
  const authorized = new Map<string, string[]>();
  for (const entry of entries) {
    const split = entry.lastIndexOf("=");
    const users = parseList(entry.slice(split + 1));
    if (split < 1 || users.length === 0) {
      throw new QfError("ERR_USAGE", `--authorized-groups ${JSON.stringify(entry)} is not GROUP=USER,...`, {
        hint: "name the OS users, or write GROUP=* for any of them",
      });
    }
    const group = entry.slice(0, split).trim();
    authorized.set(group, [...(authorized.get(group) ?? []), ...users]);
  }
  return authorized;
}
