/**
 * Choosing a password: with a link, with the old password, or in place of one that an administrator set.
 *
 * A new password ends everything that the old one began: logins with their live connections, API tokens made
 * by logins, sessions at the embedded provider, and open links. Personal API tokens stay: they are
 * credentials of their own.
 *
 * @module
 */
import { randomBytes } from "node:crypto";
import { nowSeconds } from "../../base/clock.ts";
import { sha256 } from "../../base/random.ts";
import type { ActivityCode } from "../../wire/audit-event.ts";
import type { Writer } from "../db/engine/transaction.ts";
import type { ChangeWriter } from "../db/store.ts";
import { listTokens } from "../db/tables/api-tokens.ts";
import { revokeLoginsOf } from "../db/tables/logins.ts";
import { deletePasswordLinksOf, type PasswordLinkRow, putPasswordLink } from "../db/tables/password-links.ts";
import { type PasswordUser, updateIdpAccount } from "../db/tables/sign-in.ts";
import { deleteWebSessionsOf } from "../db/tables/web-sessions.ts";
import { PASSWORD_LENGTH_MAX, PASSWORD_LENGTH_MIN } from "./passwords.ts";

/** Path of links, before their secret. */
export const PASSWORD_PATH = "/idp/password";
/** How long a link is valid. */
const LINK_SECONDS: Readonly<Record<PasswordLinkRow["kind"], number>> = {
  invitation: 7 * 86_400,
  reset: 86_400,
};

/** A link, shown once to the administrator who created it. */
export interface PasswordLink {
  readonly url: string;
  /** Seconds since 1970. */
  readonly expiresAt: number;
}

/** Digest under which a link's secret is stored. */
export function passwordLinkHash(secret: string): string {
  return sha256(`qufabric/password-link/${secret}`);
}

/** Creates the only link of `userId`; earlier ones stop working. */
export async function createPasswordLink(
  tx: Writer,
  origin: string,
  { userId, kind }: Pick<PasswordLinkRow, "userId" | "kind">,
): Promise<PasswordLink> {
  const secret = randomBytes(32).toString("base64url");
  const createdAt = nowSeconds(tx.clock);
  const expiresAt = createdAt + LINK_SECONDS[kind];
  await putPasswordLink(tx, { hash: passwordLinkHash(secret), userId, kind, createdAt, expiresAt });
  return { url: `${origin}${PASSWORD_PATH}/${secret}`, expiresAt };
}

/** Why this may not be a password, as a sentence for a page. Null: it may. */
export function passwordProblem(password: string): string | null {
  if (password.length < PASSWORD_LENGTH_MIN) {
    return `A password needs ${PASSWORD_LENGTH_MIN} characters or more.`;
  }
  return password.length > PASSWORD_LENGTH_MAX ? "This password is too long." : null;
}

/**
 * Sets a password that its person has chosen, and ends what the previous one began. Affects maps. Returns how
 * many personal API tokens stay valid, which the person should know.
 */
export async function choosePassword(
  tx: ChangeWriter,
  { login, user }: PasswordUser,
  chosen: { readonly passwordHash: string; readonly activity: ActivityCode },
): Promise<number> {
  const passwordChangedAt = nowSeconds(tx.clock);
  const { passwordHash, activity } = chosen;
  await updateIdpAccount(tx, login.id, { passwordHash, passwordChangedAt, mustChange: false });
  await deletePasswordLinksOf(tx, user.id);
  await deleteWebSessionsOf(tx, user.id);
  const ended = await revokeLoginsOf(tx, { userId: user.id });
  tx.affectMaps();
  const kept = (await listTokens(tx, user.accountId, user.id)).length;
  const counts = { logins_ended: String(ended), tokens_kept: String(kept) };
  tx.record({ activity, targetId: user.id, meta: { user: user.name, ...counts } });
  return kept;
}
