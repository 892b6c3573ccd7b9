/**
 * The user that a verified token stands for. The issuer and the user id claim identify the user; e-mail and
 * name are only shown.
 *
 * @module
 */
import { nowSeconds } from "../../base/clock.ts";
import { QfError } from "../../base/errors.ts";
import { newId } from "../../base/random.ts";
import { type GroupsClaim, groupsAmong } from "../../identity/groups-claim.ts";
import { personClaims } from "../../identity/person-claims.ts";
import type { IdTokenVerdict } from "../../identity/verify.ts";
import { CLOCK_SKEW_SECONDS } from "../../wire/certificate.ts";
import { shownName } from "../../wire/display-name.ts";
import { Email } from "../../wire/units.ts";
import type { OidcSettings } from "../contracts/context.ts";
import { filled } from "../contracts/settings.ts";
import type { Reader } from "../db/engine/transaction.ts";
import type { ChangeWriter } from "../db/store.ts";
import type { AccountRow } from "../db/tables/accounts.ts";
import { listGroups } from "../db/tables/groups.ts";
import { findPasswordUser } from "../db/tables/sign-in.ts";
import {
  EMBEDDED_ISSUER,
  findUserByIdentity,
  insertUser,
  type UserRow,
  updateUser,
} from "../db/tables/users.ts";
import { passwordStamp } from "../idp/passwords.ts";
import { denial } from "./denial.ts";

type Verified = Extract<IdTokenVerdict, { ok: true }>;

/** Most groups of one person, `All` included: what an API answer and a map have room for. */
const USER_GROUPS_MAX = 1_023;

/** What every sign-in is checked with. */
export interface PersonDeps {
  readonly oidc: OidcSettings;
  readonly account: AccountRow;
  /** Null: the provider does not manage groups. */
  readonly groups: GroupsClaim | null;
  /** Claims of the token, completed from UserInfo. Only for display. */
  readonly claims: Readonly<Record<string, unknown>>;
}

/**
 * The user of a token, created at the first sign-in. Throws a denial if they may not sign in, except at a
 * first sign-in: then the user is stored as pending, and the caller denies after the commit.
 */
export async function findOrCreateUser(
  tx: ChangeWriter,
  deps: PersonDeps,
  verified: Verified,
): Promise<UserRow> {
  const { oidc, account } = deps;
  const isEmbedded = oidc.embedded && verified.issuer === oidc.issuer;
  const identity = { issuer: isEmbedded ? EMBEDDED_ISSUER : verified.issuer, subject: verified.subject };
  const known = await findUserByIdentity(tx, account.id, identity);
  if (known !== undefined) return refreshUser(tx, deps, { user: known, verified });
  // In the embedded provider administrators create every user, and a deleted one must not come back.
  if (isEmbedded) throw denial("user_unknown");
  const settings = account.settings;
  const shown = personClaims(deps.claims);
  const email = shownEmail(shown.email);
  const user: UserRow = {
    id: newId(),
    accountId: account.id,
    ...identity,
    email,
    // If the provider sends no name, its own id is what people and administrators can compare.
    name: shownName(shown.name) ?? (email || shownName(verified.subject)) ?? "",
    role: "user",
    autoGroups: await claimedGroups(tx, deps, []),
    isServiceUser: false,
    autoGroupsUntil: null,
    isBlocked: false,
    pendingApproval: filled(settings).pending_approval || settings.extra?.user_approval_required === true,
    createdAt: nowSeconds(tx.clock),
    lastLoginAt: nowSeconds(tx.clock),
  };
  await insertUser(tx, user);
  tx.affectMaps();
  tx.record({ activity: "user.join", targetId: user.id, initiator: initiatorOf(user) });
  await recordGroups(tx, user, []);
  return user;
}

/** Throws a denial unless `user` may sign in. */
export function checkMaySignIn(user: UserRow): void {
  if (user.isBlocked) throw denial("user_blocked");
  if (user.pendingApproval) throw denial("user_pending");
}

/** A user in the form that audit events use. */
export function initiatorOf(user: UserRow): { id: string; name: string; email: string } {
  return { id: user.id, name: user.name, email: user.email };
}

async function refreshUser(
  tx: ChangeWriter,
  deps: PersonDeps,
  { user, verified }: { readonly user: UserRow; readonly verified: Verified },
): Promise<UserRow> {
  const isEmbedded = user.issuer === EMBEDDED_ISSUER;
  const shown = personClaims(deps.claims);
  // A token issued before a later sign-in can still make a login, but restores no group.
  const isOlder = verified.claims.issuedAtSeconds + CLOCK_SKEW_SECONDS < (user.lastLoginAt ?? 0);
  const autoGroups = isOlder ? user.autoGroups : await claimedGroups(tx, deps, user.autoGroups);
  const email = isEmbedded ? user.email : shownEmail(shown.email) || user.email;
  const name = isEmbedded ? user.name : (shownName(shown.name) ?? user.name);
  const change = { autoGroups, email, name, lastLoginAt: nowSeconds(tx.clock) };
  await updateUser(tx, deps.account.id, user.id, change);
  const isSame = autoGroups.join() === user.autoGroups.join() && email === user.email && name === user.name;
  if (!isSame) tx.affectMaps();
  const changed = { ...user, ...change };
  await recordGroups(tx, changed, user.autoGroups);
  return changed;
}

/**
 * Throws a denial for a token of the embedded provider if the person has changed the password since. Call it
 * in the transaction that makes the login, so that no change comes in between.
 */
export async function requireThisPassword(tx: Reader, user: UserRow, { payload }: Verified): Promise<void> {
  if (user.issuer !== EMBEDDED_ISSUER) return;
  const found = await findPasswordUser(tx, { userId: user.id });
  if (found !== undefined && payload.acr !== passwordStamp(found.login.passwordHash)) {
    throw denial("login_revoked");
  }
}

/** Records the groups that the provider gave and took, by name, as for an administrator's change. */
async function recordGroups(tx: ChangeWriter, user: UserRow, before: readonly string[]): Promise<void> {
  const added = user.autoGroups.filter((id) => !before.includes(id));
  const removed = before.filter((id) => !user.autoGroups.includes(id));
  if (added.length === 0 && removed.length === 0) return;
  const names = new Map((await listGroups(tx, user.accountId)).map(({ id, name }) => [id, name]));
  const record = (activity: "user.group.add" | "user.group.delete", id: string) => {
    const group = names.get(id) ?? id;
    const meta = { group, group_id: id, by: "identity provider" };
    tx.record({ activity, targetId: user.id, meta, initiator: initiatorOf(user) });
  };
  for (const id of added) record("user.group.add", id);
  for (const id of removed) record("user.group.delete", id);
}

/**
 * With a groups claim the provider decides: the user is in exactly those of our groups that the token names.
 * A missing claim names none, so a person removed from their last group, or whose claim is no longer sent,
 * keeps none. Without a configured claim, administrators decide.
 */
async function claimedGroups(
  tx: ChangeWriter,
  { account, groups: claim }: PersonDeps,
  current: readonly string[],
): Promise<string[]> {
  if (claim === null) return [...current];
  if (claim.kind !== "named") return [];
  const ours = (await listGroups(tx, account.id)).filter((group) => !group.isAll);
  const known = new Set(ours.map(({ name }) => name));
  const names = groupsAmong(claim, (name) => known.has(name));
  const wanted = ours.filter(({ name }) => names.has(name)).map(({ id }) => id);
  if (wanted.length > USER_GROUPS_MAX) {
    throw new QfError(
      "ERR_LOGIN_FAILED",
      `the identity provider names ${wanted.length} groups of this account`,
      {
        hint: `a person can be in ${USER_GROUPS_MAX}; have an administrator send fewer`,
      },
    );
  }
  const kept = current.filter((id) => wanted.includes(id));
  return [...kept, ...wanted.filter((id) => !kept.includes(id))];
}

/** Empty if it is not an e-mail address. */
function shownEmail(email: string | undefined): string {
  const parsed = Email.safeParse(email);
  return parsed.success ? parsed.data : "";
}
