/**
 * The local account of a connection, looked up for each act on it.
 *
 * @module
 */
import { nowSeconds } from "../../base/clock.ts";
import { denialOfLocalAccount } from "../../policy/decide/local-account.ts";
import type { ReasonCode } from "../../wire/reason.ts";
import { type LocalAccount, lookUpAccount, NO_ACCOUNT } from "../os/users.ts";
import type { ConnectionContext } from "./connection-context.ts";

/** Look-ups that have begun in this turn of the event loop. */
const begun = new Map<string, Promise<LocalAccount | null>>();

/**
 * Channels that are opened by one packet of the network share one look-up. One that began earlier is never
 * used: the account may have been locked since.
 */
export function lookUpInThisTurn(
  name: string,
  atSeconds: number,
  look: (name: string, atSeconds: number) => Promise<LocalAccount | null> = lookUpAccount,
): Promise<LocalAccount | null> {
  const found = begun.get(name);
  if (found !== undefined) return found;
  const lookup = look(name, atSeconds);
  begun.set(name, lookup);
  queueMicrotask(() => begun.delete(name));
  return lookup;
}

/**
 * The local account of a connection as it is now, or why it may not be used: it may have been locked, removed
 * or made anew with another uid since the sign-in.
 */
export async function currentAccount({
  auth,
  clock,
}: Pick<ConnectionContext, "auth" | "clock">): Promise<LocalAccount | ReasonCode> {
  const account = await lookUpInThisTurn(auth.localUser, nowSeconds(clock));
  const reason = denialOfLocalAccount(account?.facts ?? NO_ACCOUNT);
  if (account !== null && reason === null && account.uid === auth.localUid) return account;
  return reason ?? "account_unknown";
}
