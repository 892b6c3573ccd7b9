/**
 * The people of `--intercept`: names and groups of this machine's accounts as uids.
 *
 * @module
 */
import { groupMembers } from "../os/group-members.ts";
import { lookUpAccount } from "../os/users.ts";

/** Most users, so that a large group fits the kernel's set and the lookups an instant. */
const USERS_MAX = 1_024;

export interface InterceptedUsers {
  /** Names by uid. */
  readonly byUid: ReadonlyMap<number, string>;
  /** What is no user and no group here. */
  readonly unknown: readonly string[];
}

/** Looks `entries` (`name` or `@group`) up. */
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
