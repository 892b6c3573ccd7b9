/**
 * The hosted sign-in: a terminal opens it, a browser approves it, the terminal claims it.
 *
 * The approval covers what the page showed. It can be used once, within five minutes, by the terminal that
 * opened it (poll secret) and got the code from the person; in `click` mode the poll secret is enough.
 * Nothing is issued here: the claim returns a proof that still needs the login key.
 *
 * Until it is answered there is only its ticket (`hosted-ticket.ts`). Approvals, which proven machines open,
 * are rows from the start.
 *
 * @module
 */
import { nowSeconds } from "../../base/clock.ts";
import { isQfError, QfError } from "../../base/errors.ts";
import { newId, newSecret, sha256 } from "../../base/random.ts";
import { failureDetails } from "../../identity/provider-failure.ts";
import { HostedLoginData, type HostedTicket } from "../../wire/hosted-login.ts";
import type { HostedLoginRequest, HostedLoginResponse } from "../../wire/hosted-login-api.ts";
import { ID_LENGTH } from "../../wire/units.ts";
import type { SealedFor } from "../ca/seal.ts";
import { filled } from "../contracts/settings.ts";
import type { Reader, Writer } from "../db/engine/transaction.ts";
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
import { openTicket, sealTicket } from "./hosted-ticket.ts";
import { newOneTimeCode, oneTimeCodeHash } from "./one-time-code.ts";
import { initiatorOf } from "./person.ts";
import { enterLogin, personOf, readProof, tokenHash } from "./prove.ts";

export const HOSTED_LIFETIME_SECONDS = 300;
export const HOSTED_TRIES_MAX = 5;
/** Most characters stored for the terminal of a failure's message, and of its hint. */
const SENTENCE_LENGTH_MAX = 500;
/** Approvals by one person within five minutes. */
const PER_PERSON_MAX = 50;

export interface OpenHostedLogin {
  readonly row: HostedLoginRow;
  readonly data: HostedLoginData;
  /** Whether it has a row already. */
  readonly isKept: boolean;
}

/** Answers POST /client/v1/hosted. Stores nothing. */
export async function openHostedLogin(
  deps: LoginDeps,
  request: HostedLoginRequest,
  sourceAddress: string,
): Promise<HostedLoginResponse> {
  const { ctx } = deps;
  const account = await currentAccount(ctx);
  const pollSecret = newSecret("");
  const confirmation = filled(account.settings).login_confirmation;
  const expiresAtSeconds = nowSeconds(ctx.clock) + HOSTED_LIFETIME_SECONDS;
  const { loginKey, deviceName, target, localUser, fresh, browser } = request;
  const ticket: HostedTicket = [
    newId(),
    expiresAtSeconds,
    sha256(pollSecret),
    loginKey,
    deviceName,
    target,
    localUser,
    sourceAddress,
    fresh,
    confirmation,
    browser === true,
  ];
  const id = sealTicket(deps, account.id, ticket);
  return { id, url: `${ctx.origin}/login/hosted/${id}`, pollSecret, confirmation, expiresAtSeconds };
}

/** A sign-in that waits for its person, by its ticket or the id of its row. Throws ERR_NOT_FOUND. */
export async function findWaiting(deps: LoginDeps, id: string): Promise<OpenHostedLogin> {
  const found = await findOpen(deps, id);
  if (found === undefined || found.row.state !== "waiting") {
    throw new QfError("ERR_NOT_FOUND", "this sign-in has expired or was answered already", {
      hint: "go back to the terminal and start again",
    });
  }
  return found;
}

/** An unexpired sign-in in any state. */
export async function findOpen(deps: LoginDeps, id: string): Promise<OpenHostedLogin | undefined> {
  const ticket = await ticketOf(deps, id);
  const row = await deps.ctx.store.read((tx) => findHostedLogin(tx, ticket?.id ?? id));
  if (row !== undefined) return { row, data: HostedLoginData.parse(row.data), isKept: true };
  return ticket === undefined ? undefined : { row: ticket, data: ticket.data, isKept: false };
}

/** The row that a ticket will become. */
async function ticketOf(deps: LoginDeps, text: string) {
  if (text.length <= ID_LENGTH) return undefined;
  const account = await currentAccount(deps.ctx);
  const ticket = openTicket(deps, account.id, text);
  if (ticket === undefined) return undefined;
  return {
    ...ticket,
    accountId: account.id,
    codeHash: null,
    state: "waiting" as const,
    triesLeft: HOSTED_TRIES_MAX,
    sourceAddress: ticket.data.sourceAddress,
    createdAt: ticket.expiresAt - HOSTED_LIFETIME_SECONDS,
  };
}

/** Records a refusal by the person on our page, or by the provider. */
export async function denyHosted(deps: LoginDeps, hosted: OpenHostedLogin, error?: unknown): Promise<void> {
  const { row, data } = hosted;
  const meta = { ...metaOf(row, data), ...failureDetails(error) };
  const failure = error === undefined ? {} : { failure: failureOf(error) };
  await endUnsigned(deps, hosted, failure, { activity: "login.hosted.deny", targetId: row.id, meta });
}

/** Records a failure that is no refusal. The terminal is told the same as the page. */
export async function failHosted(deps: LoginDeps, hosted: OpenHostedLogin, error: unknown): Promise<void> {
  const { row, data } = hosted;
  const failure = failureOf(error);
  const reason = failure.message;
  const meta = { ...metaOf(row, data), code: failure.code, reason, what: "hosted", ...failureDetails(error) };
  // `meta` explains a denial or a bad token, so a stack trace would add nothing.
  const isExplained = isQfError(error) && error.code !== "ERR_UNAVAILABLE" && error.code !== "ERR_INTERNAL";
  deps.ctx.log.warn("sign-in failed", meta, isExplained ? undefined : error);
  await endUnsigned(deps, hosted, { failure }, { activity: "login.failed", targetId: row.id, meta });
}

/** Stores the end of a sign-in without a person. */
async function endUnsigned(
  deps: LoginDeps,
  hosted: OpenHostedLogin,
  more: Pick<HostedLoginData, "failure">,
  event: NewEvent,
): Promise<void> {
  const { row, data } = hosted;
  const options = { accountId: row.accountId, initiator: initiatorOrNobody(null), events: [event] };
  const change = { state: "denied", data: { ...data, ...more } } as const;
  await deps.ctx.store.change(options, (tx) => writeAnswer(tx, hosted, change));
}

function failureOf(error: unknown): NonNullable<HostedLoginData["failure"]> {
  if (!isQfError(error)) return { code: "ERR_INTERNAL", message: "something went wrong in management" };
  const hint = error.hint === undefined ? {} : { hint: error.hint.slice(0, SENTENCE_LENGTH_MAX) };
  return { code: error.code, message: error.message.slice(0, SENTENCE_LENGTH_MAX), ...hint };
}

/**
 * Takes the provider's tokens from the callback page. Returns the code to show, or null if a click is enough.
 * Throws ERR_TOKEN_INVALID if they do not name the login key, a denial for a blocked person.
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
  // A machine is told who approved; it never gets the token.
  const isHandedOut =
    proof.kind === "id_token" && proof.verified.binding === "idp" && data.approval === undefined;
  const code = data.confirmation === "code" ? newOneTimeCode() : null;
  await deps.ctx.store.change({ accountId: account.id, initiator: initiatorOrNobody(user) }, async (tx) => {
    // A token that names no key is turned into a login at once and never handed out.
    const kept: HostedLoginData["proof"] = isHandedOut
      ? { kind: "id_token", sealed: deps.sealer.seal(idToken, sealedFor(row)) }
      : {
          kind: "claimed",
          loginId: (await enterLogin(tx, deps, { account, proof, user, loginKey: row.loginKey })).login.id,
        };
    const person = user === null ? {} : { person: { userId: user.id, tokenHash: tokenHash(idToken) } };
    if (user !== null) await requireRoomFor(tx, user);
    await writeAnswer(tx, hosted, {
      state: "approved",
      codeHash: code === null ? null : oneTimeCodeHash(row.id, code),
      data: { ...data, ...person, proof: kept },
      ...(user === null || hosted.isKept ? {} : { sourceAddress: personKey(user) }),
    });
    tx.record({ activity: "login.hosted.approve", targetId: row.id, meta: metaOf(row, data) });
  });
  return code;
}

/** Stores the answer once. Throws ERR_CONFLICT if there is one already. */
async function writeAnswer(
  tx: Writer,
  { row, data, isKept }: OpenHostedLogin,
  change: Partial<HostedLoginRow> & Pick<HostedLoginRow, "state">,
): Promise<void> {
  const isFirst = isKept
    ? await updateHostedLogin(tx, row.id, "waiting", change)
    : await insertHostedLogin(tx, { ...row, data, ...change });
  if (!isFirst) throw answeredAlready();
}

async function requireRoomFor(tx: Reader, user: UserRow): Promise<void> {
  if ((await countHostedLogins(tx, personKey(user))) < PER_PERSON_MAX) return;
  throw new QfError("ERR_TOO_MANY", "too many sign-ins were approved by you", { hint: "wait five minutes" });
}

/** The key under which a person's approvals are counted. Those of machines are counted by machine. */
function personKey({ id }: UserRow): string {
  return `user ${id}`;
}

function initiatorOrNobody(user: UserRow | null): Initiator {
  return user === null ? systemInitiator : initiatorOf(user);
}

export function sealedFor(row: HostedLoginRow): SealedFor {
  return { purpose: "hosted_logins.id_token", id: row.id, accountId: row.accountId };
}

/** What audit events say of a sign-in. An approval has the connection id of the machine's own events. */
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
