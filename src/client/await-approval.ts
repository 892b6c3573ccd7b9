/**
 * Requests an approval, says who can give it and where, and waits for it.
 *
 * @module
 */

import { nowSeconds } from "../base/clock.ts";
import { isQfError, QfError } from "../base/errors.ts";
import { timeText } from "../base/moment.ts";
import type { AccessReason } from "../wire/access-reason.ts";
import type { AccessRequest } from "../wire/access-request.ts";
import { API_TOKEN_SECONDS } from "../wire/api-token.ts";
import type { CertificateResponse } from "../wire/client-api.ts";
import { requestToken } from "./api-token.ts";
import { ManagementAwayError } from "./client-api.ts";
import type { ClientSession, ClientSessionOptions, Login } from "./client-session.ts";
import { processTerminal } from "./terminal.ts";

/** Longest wait for a decision. */
const WAIT_MS_MAX = 900_000;
/** Long poll of one request to management, well within the time-out of a response. */
const QUESTION_SECONDS = 10;
/** Pause between requests while management cannot be reached. */
const AWAY_MS = 1_000;

export interface ApprovalWait extends Pick<ClientSessionOptions, "terminal"> {
  /** The denial, which names the machine. */
  readonly answer: CertificateResponse;
  readonly target: string;
  readonly localUser: string;
  readonly reason: AccessReason | undefined;
  readonly findLocalUser?: (() => Promise<string | undefined>) | undefined;
}

/**
 * True once approved; false if an approval cannot be requested. Throws ERR_ACCESS_DENIED when it is denied or
 * nobody decides.
 */
export async function awaitApproval(
  session: ClientSession,
  login: Login,
  { terminal = processTerminal, answer, reason, ...about }: ApprovalWait,
): Promise<boolean> {
  const machine = answer.target?.peerId;
  const localUser = about.localUser === "" ? await about.findLocalUser?.() : about.localUser;
  if (machine === undefined || localUser === undefined) return false;
  const token = tokens(session, login);
  const asked = await session.api.askAccess(await token(), {
    ...{ kind: "machine", machine, local_user: localUser },
    ...(reason === undefined ? {} : { reason }),
  });
  const where = `${localUser}@${asked.machine?.name ?? about.target}`;
  terminal.say(`qf: ${where} needs an approval, by ${approversOf(asked)}: ${asked.url}`);
  terminal.say("qf: waiting for it; Ctrl-C stops waiting");
  const decided = await untilDecided(session, token, asked);
  if (decided.state !== "approved") throw refused(decided, where);
  terminal.say(
    `qf: approved by ${decided.decided_by?.name ?? "somebody"}, until ${untilText(decided.ends_at)}`,
  );
  return true;
}

/** Who can approve, in words. */
export function approversOf({ approver_groups }: Pick<AccessRequest, "approver_groups">): string {
  if (approver_groups.length === 0) return "an owner or admin";
  return `a member of ${approver_groups.map(({ name }) => name).join(" or ")}`;
}

async function untilDecided(
  session: ClientSession,
  token: () => Promise<string>,
  asked: AccessRequest,
): Promise<AccessRequest> {
  const { clock } = session;
  const endMs = clock.monotonicMs() + WAIT_MS_MAX;
  let now = asked;
  while (now.state === "waiting" && clock.monotonicMs() < endMs) {
    try {
      now = await session.api.accessRequest(await token(), asked.id, QUESTION_SECONDS);
    } catch (error) {
      if (!(error instanceof ManagementAwayError) && !isQfError(error, "ERR_TOO_MANY")) throw error;
      await Bun.sleep(AWAY_MS);
    }
  }
  return now;
}

function refused(request: AccessRequest, where: string): QfError {
  const { state, note, decided_by: by } = request;
  if (state === "denied") {
    const who = by?.name === undefined || by.name === "" ? "the approver" : by.name;
    return new QfError("ERR_ACCESS_DENIED", `${who} has denied ${where}${note === "" ? "" : `: ${note}`}`);
  }
  if (state === "waiting") {
    return new QfError(
      "ERR_ACCESS_DENIED",
      `nobody has decided about ${where} in ${WAIT_MS_MAX / 60_000} minutes`,
      {
        hint: `the request waits on, at ${request.url}: connect again once it is approved`,
      },
    );
  }
  return new QfError("ERR_ACCESS_DENIED", `the request for ${where} is ${state}`, { hint: "connect again" });
}

/** A token of the login, renewed before it expires. */
function tokens(session: ClientSession, login: Login): () => Promise<string> {
  let made: { readonly token: Promise<string>; readonly atSeconds: number } | undefined;
  return () => {
    const now = nowSeconds(session.clock);
    if (made === undefined || now - made.atSeconds > API_TOKEN_SECONDS / 2) {
      made = { token: requestToken(session, login), atSeconds: now };
    }
    return made.token;
  };
}

function untilText(iso: string | null): string {
  return iso === null ? "further notice" : timeText(iso);
}
