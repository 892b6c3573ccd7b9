/**
 * The local account of a connection, looked up again for each action.
 *
 * @module
 */
import { nowSeconds } from "../../base/clock.ts";
import { denialOfLocalAccount } from "../../policy/decide/local-account.ts";
import type { ReasonCode } from "../../wire/reason.ts";
import { type LocalAccount, lookUpAccount, NO_ACCOUNT } from "../os/users.ts";
import type { ConnectionContext } from "./connection-context.ts";

/** Look-ups started in this turn of the event loop. */
const begun = new Map<string, Promise<LocalAccount | null>>();

/**
 * Channels opened by one network packet share a look-up. An earlier look-up is never reused, because the
 * account may have been locked since.
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
 * The local account as it is now, or why it may not be used: since the sign-in it may have been locked,
 * removed, or recreated with another uid.
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
