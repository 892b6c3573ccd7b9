/**
 * The reason for one access: as given, as kept, or asked for on the terminal when a policy wants one.
 *
 * @module
 */
import { nowSeconds } from "../base/clock.ts";
import { isQfError, QfError } from "../base/errors.ts";
import { type AccessReason, parseReason } from "../wire/access-reason.ts";
import type { ClientSession, ClientSessionOptions } from "./client-session.ts";
import { readKeptReason } from "./kept-reason.ts";
import { processTerminal } from "./terminal.ts";

/** Longest wait for the person's answer. */
const ANSWER_MS = 120_000;
/** Answers that are no reason, before it is given up. */
const TRIES_MAX = 3;

/** `--reason`, then `QF_REASON`, then what `qf reason set` keeps. Undefined: none. Throws ERR_USAGE. */
export async function givenReason(
  session: Pick<ClientSession, "folder" | "clock">,
  {
    reason,
    environment = process.env,
  }: Pick<ClientSessionOptions, "environment"> & { reason?: string | undefined },
): Promise<AccessReason | undefined> {
  if (reason !== undefined) return parseReason("--reason", reason);
  const fromEnvironment = environment.QF_REASON ?? "";
  if (fromEnvironment !== "") return parseReason("QF_REASON", fromEnvironment);
  try {
    return (await readKeptReason(session.folder.path, nowSeconds(session.clock)))?.reason;
  } catch (error) {
    // What is damaged answers nothing; the policy then asks as if it were not there.
    if (!isQfError(error, "ERR_STATE_DAMAGED")) throw error;
    return undefined;
  }
}

/** Asks on the terminal. Undefined: nobody is there to be asked. */
export async function askReason(
  { terminal = processTerminal }: Pick<ClientSessionOptions, "terminal">,
  about: { readonly target: string; readonly localUser: string },
): Promise<AccessReason | undefined> {
  if (!terminal.canAsk()) return undefined;
  const where = about.localUser === "" ? about.target : `${about.localUser}@${about.target}`;
  const signal = AbortSignal.timeout(ANSWER_MS);
  for (let tries = 0; tries < TRIES_MAX; tries += 1) {
    const typed = await terminal.ask(`Reason for access to ${where}: `, signal).catch((cause: unknown) => {
      throw new QfError("ERR_ACCESS_DENIED", "no reason was given", { hint: HOW_TO_GIVE, cause });
    });
    try {
      return parseReason("a reason", typed);
    } catch (error) {
      if (!isQfError(error, "ERR_USAGE")) throw error;
      terminal.say(`qf: ${error.message}`);
    }
  }
  throw new QfError("ERR_ACCESS_DENIED", "no reason was given", { hint: HOW_TO_GIVE });
}

const HOW_TO_GIVE = "give one with qf ssh --reason TEXT, or for a while with qf reason set --for 1h TEXT";
