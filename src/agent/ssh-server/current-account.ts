import { nowSeconds } from "../../base/clock.ts";
import { denialOfLocalAccount } from "../../policy/decide/local-account.ts";
import type { ReasonCode } from "../../wire/reason.ts";
import { type LocalAccount, lookUpAccount, NO_ACCOUNT } from "../os/users.ts";
import type { ConnectionContext } from "./connection-context.ts";

/**
 * The local account of a connection as it is now, or why it may not be used: it may have been locked, removed
 * or made anew with another uid since the sign-in.
 */
export async function currentAccount({
  auth,
  clock,
}: Pick<ConnectionContext, "auth" | "clock">): Promise<LocalAccount | ReasonCode> {
  const account = await lookUpAccount(auth.localUser, nowSeconds(clock));
  const reason = denialOfLocalAccount(account?.facts ?? NO_ACCOUNT);
  if (account !== null && reason === null && account.uid === auth.localUid) return account;
  return reason ?? "account_unknown";
}
