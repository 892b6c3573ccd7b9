/**
 * The hosted sign-in: a terminal opens one, a browser approves it, the terminal claims it.
 *
 * What is approved is what the page showed; the approval is used once, within five minutes, by who
 * opened it (poll secret) and was told the code by the person (or, in `click` mode, by the poll secret
 * alone). Nothing is issued here: the claim hands out a proof that still needs the login key.
 *
 * @module
 */
import { nowSeconds } from "../../base/clock.ts";
import { isQfError, QfError } from "../../base/errors.ts";
import { isEqualSecret, newId, newSecret, sha256 } from "../../base/random.ts";
import { sourceKey } from "../../base/source-key.ts";
import { failureDetails } from "../../identity/provider-failure.ts";
import type {
  HostedClaimRequest,
  HostedClaimResponse,
  HostedLoginRequest,
  HostedLoginResponse,
  LoginProof,
} from "../../wire/client-api.ts";
import { HostedLoginData } from "../../wire/hosted-login.ts";
import type { SealedFor } from "../ca/seal.ts";
import { filled } from "../contracts/settings.ts";
import type { Writer } from "../db/engine/transaction.ts";
import { type Initiator, type NewEvent, systemInitiator } from "../db/tables/audit-events.ts";
import {
  countHostedLogins,
  findHostedLogin,
  type HostedLoginRow,
  insertHostedLogin,
  updateHostedLogin,
} from "../db/tables/logins.ts";
import type { UserRow } from "../db/tables/users.ts";
import type { HostedTokens } from "../idp/relying-party.ts";
import { currentAccount, type LoginDeps } from "./deps.ts";
import { newOneTimeCode, oneTimeCodeHash } from "./one-time-code.ts";
import { initiatorOf } from "./person.ts";
import { enterLogin, personOf, readProof, tokenHash } from "./prove.ts";

export const HOSTED_LIFETIME_SECONDS = 300;
export const HOSTED_TRIES_MAX = 5;
/** Of a failure's message and of its hint, as they are kept for the terminal. */
const SENTENCE_LENGTH_MAX = 500;
/** Alive at once from one source, and in all, approvals included. */
const PER_SOURCE_MAX = 50;
export const HOSTED_TOTAL_MAX = 5_000;

export interface OpenHostedLogin {
  readonly row: HostedLoginRow;
  readonly data: HostedLoginData;
}

/** Answers POST /client/v1/hosted. Throws ERR_TOO_MANY above the caps. */
export async function openHostedLogin(
  deps: LoginDeps,
  request: HostedLoginRequest,
  sourceAddress: string,
): Promise<HostedLoginResponse> {
  const { ctx } = deps;
  const account = await currentAccount(ctx);
  const id = newId();
  const pollSecret = newSecret("");
  const confirmation = filled(account.settings).login_confirmation;
  const now = nowSeconds(ctx.clock);
  const { loginKey, deviceName, target, localUser, fresh } = request;
  await ctx.store.transaction(async (tx) => {
    const fromSource = await countHostedLogins(tx, sourceKey(sourceAddress));
    if (fromSource >= PER_SOURCE_MAX || (await countHostedLogins(tx)) >= HOSTED_TOTAL_MAX) {
      throw new QfError("ERR_TOO_MANY", "too many sign-ins are waiting", { hint: "wait five minutes" });
    }
    await insertHostedLogin(tx, {
      id,
      accountId: account.id,
      pollSecretHash: sha256(pollSecret),
      codeHash: null,
      state: "waiting",
      triesLeft: HOSTED_TRIES_MAX,
      sourceAddress: sourceKey(sourceAddress),
      loginKey,
      data: { deviceName, target, localUser, sourceAddress, fresh, confirmation },
      createdAt: now,
      expiresAt: now + HOSTED_LIFETIME_SECONDS,
    });
  });
  return {
    id,
    url: `${ctx.origin}/login/hosted/${id}`,
    pollSecret,
    confirmation,
    expiresAtSeconds: now + HOSTED_LIFETIME_SECONDS,
  };
}

/** One that still waits for its person. Throws ERR_NOT_FOUND. */
export async function findWaiting(deps: LoginDeps, id: string): Promise<OpenHostedLogin> {
  const row = await deps.ctx.store.read((tx) => findHostedLogin(tx, id));
  if (row === undefined || row.state !== "waiting") {
    throw new QfError("ERR_NOT_FOUND", "this sign-in has expired or was answered already", {
      hint: "go back to the terminal and start again",
    });
  }
  return { row, data: HostedLoginData.parse(row.data) };
}

/** The person said no, on our page or at the provider, which may have said so for them. */
export async function denyHosted(
  deps: LoginDeps,
  { row, data }: OpenHostedLogin,
  error?: unknown,
): Promise<void> {
  const meta = { ...metaOf(row, data), ...failureDetails(error) };
  await answerWaiting(deps, row, {
    change: {
      state: "denied",
      ...(error === undefined ? {} : { data: { ...data, failure: failureOf(error) } }),
    },
    event: { activity: "login.hosted.deny", targetId: row.id, meta },
  });
}

/** It cannot be finished, and nobody has said no: the terminal is told what the page says. */
export async function failHosted(
  deps: LoginDeps,
  { row, data }: OpenHostedLogin,
  error: unknown,
): Promise<void> {
  const failure = failureOf(error);
  const reason = failure.message;
  const meta = { ...metaOf(row, data), code: failure.code, reason, what: "hosted", ...failureDetails(error) };
  // What is behind a denial or a fault of the token stands in `meta`; a stack says nothing more.
  const isExplained = isQfError(error) && error.code !== "ERR_UNAVAILABLE" && error.code !== "ERR_INTERNAL";
  deps.ctx.log.warn("sign-in failed", meta, isExplained ? undefined : error);
  await answerWaiting(deps, row, {
    change: { state: "denied", data: { ...data, failure } },
    event: { activity: "login.failed", targetId: row.id, meta },
  });
}

function failureOf(error: unknown): NonNullable<HostedLoginData["failure"]> {
  if (!isQfError(error)) return { code: "ERR_INTERNAL", message: "something went wrong in management" };
  const hint = error.hint === undefined ? {} : { hint: error.hint.slice(0, SENTENCE_LENGTH_MAX) };
  return { code: error.code, message: error.message.slice(0, SENTENCE_LENGTH_MAX), ...hint };
}

/**
 * The provider's tokens came back to the page. Returns the code to show, null where a click is enough.
 * Throws ERR_TOKEN_INVALID when they do not name the login key, a denial for a blocked person.
 */
export async function approveHosted(
  deps: LoginDeps,
  hosted: OpenHostedLogin,
  { idToken, accessToken }: HostedTokens,
): Promise<string | null> {
  const { row, data } = hosted;
  const account = await currentAccount(deps.ctx);
  const claim = { proof: { kind: "id_token", idToken } as const, loginKey: row.loginKey, accessToken };
  const proof = await readProof(deps, account, { ...claim, when: "first" });
  const user = await personOf(deps, account, proof);
  // A machine is told who approved; the token stays here.
  const isHandedOut =
    proof.kind === "id_token" && proof.verified.binding === "idp" && data.approval === undefined;
  const code = data.confirmation === "code" ? newOneTimeCode() : null;
  await deps.ctx.store.change({ accountId: account.id, initiator: initiatorOrNobody(user) }, async (tx) => {
    // A token that names no key is claimed here and now, and never leaves.
    const kept: HostedLoginData["proof"] = isHandedOut
      ? { kind: "id_token", sealed: deps.sealer.seal(idToken, sealedFor(row)) }
      : {
          kind: "claimed",
          loginId: (await enterLogin(tx, deps, { account, proof, user, loginKey: row.loginKey })).login.id,
        };
    const person = user === null ? {} : { person: { userId: user.id, tokenHash: tokenHash(idToken) } };
    const change = {
      state: "approved" as const,
      codeHash: code === null ? null : oneTimeCodeHash(row.id, code),
      data: { ...data, ...person, proof: kept },
    };
    if (!(await updateHostedLogin(tx, row.id, "waiting", change))) throw answeredAlready();
    tx.record({ activity: "login.hosted.approve", targetId: row.id, meta: metaOf(row, data) });
  });
  return code;
}

/**
 * Answers POST /client/v1/hosted/{id}/claim. Throws ERR_NOT_FOUND when it is over or the secret is another's.
 */
export async function claimHosted(
  deps: LoginDeps,
  id: string,
  request: HostedClaimRequest,
): Promise<HostedClaimResponse> {
  const { store, clock } = deps.ctx;
  // Terminals look again and again; nothing is locked for that.
  const seen = answerWithoutCode(await store.read((tx) => findHostedLogin(tx, id)), request);
  if (seen !== undefined) return seen;
  return store.transaction(async (tx) => {
    const row = await findHostedLogin(tx, id);
    const early = answerWithoutCode(row, request);
    if (early !== undefined || row === undefined) return early ?? { status: "waiting" };
    const data = HostedLoginData.parse(row.data);
    if (data.confirmation === "code" && !isCode(row, request.code ?? "")) return wrongCode(tx, row);
    const { proof, ...rest } = data;
    // The registration that follows looks at it once more.
    const expiresAt = nowSeconds(clock) + HOSTED_LIFETIME_SECONDS;
    await updateHostedLogin(tx, id, "approved", { state: "claimed", codeHash: null, data: rest, expiresAt });
    return { status: "approved", proof: openProof(deps, row, proof) };
  });
}

/** What there is to say before any code is looked at. Undefined: it is approved, and the code decides. */
function answerWithoutCode(
  row: HostedLoginRow | undefined,
  request: HostedClaimRequest,
): HostedClaimResponse | undefined {
  if (row === undefined || !isEqualSecret(row.pollSecretHash, sha256(request.pollSecret))) {
    throw new QfError("ERR_NOT_FOUND", "this sign-in is over", { hint: "start again" });
  }
  const { approval, confirmation, failure } = HostedLoginData.parse(row.data);
  if (approval !== undefined) throw new QfError("ERR_NOT_FOUND", "this sign-in is a machine's");
  if (row.state === "waiting") return { status: "waiting" };
  if (row.state === "denied") return { status: "denied", ...failure };
  if (row.state === "claimed") throw new QfError("ERR_NOT_FOUND", "this sign-in was used already");
  return confirmation === "code" && request.code === undefined ? { status: "waiting" } : undefined;
}

/** Whether `typed` is the code that the page of this sign-in showed. */
export function isCode(row: HostedLoginRow, typed: string): boolean {
  return row.codeHash !== null && isEqualSecret(row.codeHash, oneTimeCodeHash(row.id, typed));
}

async function wrongCode(tx: Writer, row: HostedLoginRow): Promise<HostedClaimResponse> {
  const triesLeft = row.triesLeft - 1;
  const { proof: _, ...rest } = HostedLoginData.parse(row.data);
  const isOver = triesLeft <= 0;
  await updateHostedLogin(
    tx,
    row.id,
    "approved",
    isOver ? { triesLeft: 0, state: "denied", codeHash: null, data: rest } : { triesLeft },
  );
  return { status: "wrong_code", triesLeft };
}

function openProof(deps: LoginDeps, row: HostedLoginRow, kept: HostedLoginData["proof"]): LoginProof {
  if (kept === undefined) throw new QfError("ERR_NOT_FOUND", "this sign-in was used already");
  if (kept.kind === "claimed") return { kind: "claimed", loginId: kept.loginId };
  return { kind: "id_token", idToken: deps.sealer.unseal(kept.sealed, sealedFor(row)), hostedId: row.id };
}

async function answerWaiting(
  deps: LoginDeps,
  row: HostedLoginRow,
  answer: { change: { state: "denied"; data?: HostedLoginData }; event: NewEvent },
): Promise<void> {
  const options = { accountId: row.accountId, initiator: initiatorOrNobody(null), events: [answer.event] };
  await deps.ctx.store.change(options, async (tx) => {
    if (!(await updateHostedLogin(tx, row.id, "waiting", answer.change))) throw answeredAlready();
  });
}

function initiatorOrNobody(user: UserRow | null): Initiator {
  return user === null ? systemInitiator : initiatorOf(user);
}

function sealedFor(row: HostedLoginRow): SealedFor {
  return { purpose: "hosted_logins.id_token", id: row.id, accountId: row.accountId };
}

/** What audit says of one. The connection of an approval is that of the machine's own events. */
export function metaOf(row: HostedLoginRow, data: HostedLoginData): Record<string, string> {
  const { deviceName, sourceAddress, target, localUser, approval } = data;
  const common = { hosted: row.id, source: sourceAddress, target, localUser };
  if (approval === undefined) return { ...common, device: deviceName };
  const { machinePeerId, connectionId, sessionIdHash } = approval;
  return { ...common, machine: machinePeerId, connection: connectionId, session: sessionIdHash };
}

function answeredAlready(): QfError {
  return new QfError("ERR_CONFLICT", "this sign-in was answered already");
}
