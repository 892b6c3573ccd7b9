/**
 * The ticket of a hosted sign-in: everything that its terminal sent, sealed, used as the id of the sign-in.
 *
 * A terminal that opens a sign-in has proven nothing, so nothing is stored for it, and unfinished sign-ins
 * take no room from others. A row is written when a person has signed in or refused.
 *
 * @module
 */
import { nowSeconds } from "../../base/clock.ts";
import { isQfError } from "../../base/errors.ts";
import { parseJson } from "../../base/files.ts";
import { HostedTicket } from "../../wire/hosted-login.ts";
import type { AccountId } from "../../wire/units.ts";
import type { LoginDeps } from "./deps.ts";

type Deps = Pick<LoginDeps, "sealer" | "ctx">;

/** The public id of the sign-in: the sealed ticket. */
export function sealTicket({ sealer }: Deps, accountId: AccountId, ticket: HostedTicket): string {
  return sealer.seal(JSON.stringify(ticket), owner(accountId));
}

/** The ticket that `text` seals. Undefined if it is forged or has expired. */
export function openTicket({ sealer, ctx }: Deps, accountId: AccountId, text: string) {
  let opened: string;
  try {
    opened = sealer.unseal(text, owner(accountId));
  } catch (cause) {
    if (isQfError(cause, "ERR_STATE_DAMAGED")) return undefined;
    throw cause;
  }
  const ticket = HostedTicket.safeParse(parseJson(opened));
  if (!ticket.success) return undefined;
  const [
    id,
    expiresAt,
    pollSecretHash,
    loginKey,
    deviceName,
    target,
    localUser,
    sourceAddress,
    fresh,
    confirmation,
    browser,
  ] = ticket.data;
  if (expiresAt <= nowSeconds(ctx.clock)) return undefined;
  const data = {
    ...{ deviceName, target, localUser, sourceAddress, fresh, confirmation },
    ...(browser === true ? { browser } : {}),
  };
  return { id, expiresAt, pollSecretHash, loginKey, data };
}

function owner(accountId: AccountId) {
  return { purpose: "hosted_logins.ticket", id: "", accountId };
}
