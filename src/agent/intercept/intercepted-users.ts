/**
 * Users of `--intercept`: resolves account names and groups of this machine to uids.
 *
 * @module
 */
import { groupMembers } from "../os/group-members.ts";
import { lookUpAccount } from "../os/users.ts";

/** Most users, so that a large group fits into the kernel's set and the lookups stay fast. */
const USERS_MAX = 1_024;

export interface InterceptedUsers {
  /** Names by uid. */
  readonly byUid: ReadonlyMap<number, string>;
  /** Entries that are neither a user nor a group here. */
  readonly unknown: readonly string[];
}

/** Looks up `entries`, each a `name` or an `@group`. */
export async function findInterceptedUsers(
  entries: readonly string[],
  nowSeconds: number,
  look = { account: lookUpAccount, members: groupMembers },
): Promise<InterceptedUsers> {
  const byUid = new Map<number, string>();
  const unknown: string[] = [];
  for (const entry of entries) {
    const members = entry.startsWith("@") ? look.members(entry.slice(1)) : [entry];
    if (members === null) unknown.push(entry);
    for (const name of members ?? []) {
      if (byUid.size >= USERS_MAX) break;
      const account = await look.account(name, nowSeconds);
      if (account !== null) byUid.set(account.uid, name);
      else if (!entry.startsWith("@")) unknown.push(entry);
    }
  }
  return { byUid, unknown };
}
