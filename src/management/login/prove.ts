/**
 * Proof of who makes a request, and by which login.
 *
 * `readProof` verifies a token before the database is used. Inside a transaction, `enterLogin` then makes it
 * the one login of its login key, or `findLiveLogin` finds that login again. The caller has checked the login
 * key's own signature over the request before.
 *
 * @module
 */
import { nowSeconds } from "../../base/clock.ts";
import { sshBlobOfEd25519 } from "../../base/ed25519.ts";
import { QfError } from "../../base/errors.ts";
import { newId, sha256 } from "../../base/random.ts";
import { tokenRefused } from "../../identity/provider-failure.ts";
import type { TokenCheck } from "../../identity/token-fault.ts";
import { withUserInfo } from "../../identity/user-info.ts";
import { type IdTokenVerdict, verifyIdToken } from "../../identity/verify.ts";
import type { LoginProof } from "../../wire/client-api.ts";
import { HostedLoginData } from "../../wire/hosted-login.ts";
import { filled } from "../contracts/settings.ts";
import type { Reader } from "../db/engine/transaction.ts";
import type { ChangeWriter } from "../db/store.ts";
import type { AccountRow } from "../db/tables/accounts.ts";
import { findByToken, markTokenUsed } from "../db/tables/api-tokens.ts";
import { systemInitiator } from "../db/tables/audit-events.ts";
import {
  findHostedLogin,
  findLogin,
  findLoginByKey,
  insertLogin,
  type LoginRow,
} from "../db/tables/logins.ts";
import { EMBEDDED_ISSUER, findUser, type UserRow } from "../db/tables/users.ts";
import { denial } from "./denial.ts";
import type { LoginDeps } from "./deps.ts";
import { moreClaims } from "./more-claims.ts";
import { checkMaySignIn, findOrCreateUser, initiatorOf, requireThisPassword } from "./person.ts";
import { readGroups } from "./read-groups.ts";

type Verified = Extract<IdTokenVerdict, { ok: true }>;

/** A proof, verified as far as possible without the database. */
export type ReadProof =
  | ProvenToken
  | { readonly kind: "claimed"; readonly loginId: string }
  | { readonly kind: "service_token"; readonly token: string };

interface ProvenToken {
  readonly kind: "id_token";
  readonly idToken: string;
  readonly verified: Verified;
  /** Claims from UserInfo that the token lacks. */
  readonly more: Readonly<Record<string, unknown>>;
  /** The hosted sign-in that received this token. */
  readonly hostedId: string | undefined;
}

export interface ProvenLogin {
  readonly login: LoginRow;
  readonly user: UserRow;
}

/** Faults that a newly published provider key could explain. */
const CURED_BY_KEYS: readonly TokenCheck[] = ["keys", "key", "signature"];

export interface ProofClaim {
  readonly proof: LoginProof;
  readonly loginKey: string;
  /**
   * `first`: it is to become a login, so its `exp` counts and it need not name a key. `again`: it must name
   * this key.
   */
  readonly when: "first" | "again";
  /**
   * Access token that the provider sent us with the ID token. Undefined: we did not receive the ID token from
   * the provider.
   */
  readonly accessToken?: string | null;
}

/**
 * Verifies the token of `proof`; if it is a first one, completes its claims from UserInfo. Throws
 * ERR_TOKEN_INVALID with the fault as its cause, ERR_LOGIN_REQUIRED if the token was valid once,
 * ERR_UNAVAILABLE if there are no keys yet.
 */
export async function readProof(deps: LoginDeps, account: AccountRow, claim: ProofClaim): Promise<ReadProof> {
  if (claim.proof.kind !== "id_token") return claim.proof;
  const { idToken, hostedId } = claim.proof;
  const ask = async (): Promise<IdTokenVerdict> =>
    verifyIdToken({
      token: idToken,
      issuers: await deps.ctx.keys.issuers(account.id),
      nowSeconds: nowSeconds(deps.ctx.clock),
      loginSecondsMax: filled(account.settings).login_seconds_max,
      loginKeyBlob: sshBlobOfEd25519(claim.loginKey),
      mode: claim.when === "first" ? "claiming" : "machine",
    });
  let verdict = await ask();
  // The provider may have started to sign with a new key.
  const source = claim.accessToken === undefined ? "client" : "provider";
  if (isCuredByKeys(verdict) && (await deps.refreshIssuerKeys(source))) verdict = await ask();
  if (!verdict.ok) {
    const failure = isCuredByKeys(verdict) ? deps.issuerKeysFailure() : null;
    throw failure ?? tokenRefused(verdict.fault);
  }
  const more = claim.when === "first" ? await moreClaims(deps, verdict, tokensOf(claim, idToken)) : {};
  return { kind: "id_token", idToken, verified: verdict, more, hostedId };
}

function isCuredByKeys(verdict: IdTokenVerdict): boolean {
  return !verdict.ok && CURED_BY_KEYS.includes(verdict.fault.check);
}

function tokensOf({ proof, accessToken }: ProofClaim, idToken: string): Parameters<typeof moreClaims>[2] {
  const theirs = proof.kind === "id_token" ? proof.accessToken : undefined;
  const ours = accessToken ?? undefined;
  if (ours !== undefined) return { idToken, accessToken: { value: ours, from: "provider" } };
  return { idToken, accessToken: theirs === undefined ? undefined : { value: theirs, from: "client" } };
}

/**
 * Creates or finds the login of `loginKey`. Throws a denial or ERR_TOKEN_INVALID without changing anything.
 */
export async function enterLogin(
  tx: ChangeWriter,
  deps: LoginDeps,
  claim: {
    readonly account: AccountRow;
    readonly proof: ReadProof;
    readonly user: UserRow | null;
    readonly loginKey: string;
  },
): Promise<ProvenLogin> {
  const { account, proof, loginKey } = claim;
  const known = await findLoginByKey(tx, loginKey);
  if (known !== undefined || proof.kind === "claimed") return findLiveLogin(tx, deps, claim);
  const now = nowSeconds(deps.ctx.clock);
  const cap = filled(account.settings).login_seconds_max;
  const fresh = { id: newId(), createdAt: now, devicePeerId: null, apiTokenId: null };
  const base = { ...fresh, accountId: account.id, loginKey };
  if (proof.kind === "service_token") {
    const { token, user } = await findServiceToken(tx, account, proof.token);
    const login: LoginRow = {
      ...base,
      apiTokenId: token.id,
      userId: user.id,
      binding: "service",
      claimedTokenHash: null,
      authTime: now,
      issuedAt: now,
      until: Math.min(now + cap, token.expiresAt),
      revokedAt: null,
    };
    await insertLogin(tx, login);
    await markTokenUsed(tx, token.id);
    return recorded(tx, { login, user });
  }
  const { user } = claim;
  if (user === null) throw denial("user_unknown");
  checkMaySignIn(user);
  await requireThisPassword(tx, user, proof.verified);
  const { binding, claims } = proof.verified;
  const login: LoginRow = {
    ...base,
    userId: user.id,
    binding,
    claimedTokenHash: binding === "ca" ? tokenHash(proof.idToken) : null,
    authTime: claims.authTimeSeconds,
    issuedAt: claims.issuedAtSeconds,
    until: claims.issuedAtSeconds + cap,
    revokedAt: null,
  };
  await insertLogin(tx, login);
  if (binding === "ca") {
    tx.record({ activity: "token.claim", targetId: login.id, initiator: initiatorOf(user) });
  }
  return recorded(tx, { login, user });
}

function recorded(tx: ChangeWriter, proven: ProvenLogin): ProvenLogin {
  const { login, user } = proven;
  const meta = { binding: login.binding, login: login.id };
  tx.record({ activity: "login", targetId: user.id, meta, initiator: initiatorOf(user) });
  return proven;
}

/**
 * The live login that `proof` and `loginKey` belong to, of a person who may sign in.
 *
 * Throws ERR_LOGIN_REQUIRED if it is unknown, ended or revoked, ERR_TOKEN_INVALID if it was made from another
 * proof, a denial for a blocked person.
 */
export async function findLiveLogin(
  tx: Reader,
  deps: LoginDeps,
  claim: { readonly account: AccountRow; readonly proof: ReadProof; readonly loginKey: string },
): Promise<ProvenLogin> {
  const { account, proof, loginKey } = claim;
  const login =
    proof.kind === "claimed" ? await findLogin(tx, proof.loginId) : await findLoginByKey(tx, loginKey);
  if (login === undefined || login.accountId !== account.id || login.loginKey !== loginKey) {
    throw loginRequired("this login is not known here");
  }
  if (login.revokedAt !== null) throw loginRequired("this login was ended");
  if (login.until <= nowSeconds(deps.ctx.clock)) throw loginRequired("this login is over");
  const user = await findUser(tx, account.id, login.userId);
  if (user === undefined) throw denial("user_unknown");
  await checkSameProof(tx, account, { login, user, proof });
  checkMaySignIn(user);
  return { login, user };
}

/** A login accepts only the proof it was made from: no other token, no other kind of proof. */
async function checkSameProof(
  tx: Reader,
  account: AccountRow,
  { login, user, proof }: ProvenLogin & { readonly proof: ReadProof },
): Promise<void> {
  if (proof.kind === "claimed") {
    if (login.binding !== "ca") throw anotherProof();
  } else if (proof.kind === "service_token") {
    const found = await findServiceToken(tx, account, proof.token);
    if (login.binding !== "service" || found.user.id !== user.id) throw anotherProof();
  } else {
    const { verified, idToken } = proof;
    const isSame =
      verified.binding === login.binding &&
      verified.claims.issuedAtSeconds === login.issuedAt &&
      (user.issuer === verified.issuer || user.issuer === EMBEDDED_ISSUER) &&
      user.subject === verified.subject &&
      (login.binding === "idp" || login.claimedTokenHash === tokenHash(idToken));
    if (!isSame) throw anotherProof();
  }
}

async function findServiceToken(tx: Reader, account: AccountRow, secret: string) {
  const found = await findByToken(tx, secret);
  const isGood =
    found !== undefined &&
    found.token.scope === "ssh" &&
    found.user.isServiceUser &&
    found.user.accountId === account.id;
  if (!isGood) {
    throw new QfError("ERR_TOKEN_INVALID", "the token is not valid for signing in", {
      hint: "use a service user's token of scope ssh, or unset QF_TOKEN and QF_TOKEN_FILE",
    });
  }
  checkMaySignIn(found.user);
  return found;
}

/**
 * The user of a token. A first sign-in creates the user in a transaction of its own, so that a refusal does
 * not undo it. A token that a hosted sign-in's page has received already says nothing new.
 */
export async function personOf(
  deps: LoginDeps,
  account: AccountRow,
  proof: ReadProof,
): Promise<UserRow | null> {
  if (proof.kind !== "id_token") return null;
  const { oidc, store } = deps.ctx;
  const { hostedId, idToken, verified, more } = proof;
  if (hostedId !== undefined) {
    const known = await store.read((tx) => findPersonOfHosted(tx, account, { hostedId, idToken }));
    if (known !== undefined) return known;
    throw loginRequired("this sign-in is over");
  }
  const groups = readGroups(deps.ctx, verified.payload, more);
  const claims = withUserInfo(verified.payload, more);
  return store.change({ accountId: account.id, initiator: systemInitiator }, (tx) =>
    findOrCreateUser(tx, { oidc, account, groups, claims }, verified),
  );
}

async function findPersonOfHosted(
  tx: Reader,
  account: AccountRow,
  { hostedId, idToken }: { readonly hostedId: string; readonly idToken: string },
): Promise<UserRow | undefined> {
  const row = await findHostedLogin(tx, hostedId);
  if (row === undefined || row.accountId !== account.id) return undefined;
  const { person } = HostedLoginData.parse(row.data);
  return person?.tokenHash === tokenHash(idToken) ? findUser(tx, account.id, person.userId) : undefined;
}

/** Identifies a token by its content, since its signature may be written in more than one way. */
export function tokenHash(idToken: string): string {
  return sha256(idToken.slice(0, idToken.lastIndexOf(".")));
}

function anotherProof(): QfError {
  return new QfError("ERR_TOKEN_INVALID", "this login was made from another proof", {
    hint: "sign in again",
  });
}

function loginRequired(message: string): QfError {
  return new QfError("ERR_LOGIN_REQUIRED", message, { hint: "sign in again with qf login" });
}
