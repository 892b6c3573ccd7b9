/**
 * The reason for one access: given, stored, or asked for on the terminal when a policy requires one.
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
/** Invalid answers before giving up. */
const TRIES_MAX = 3;

/**
 * `--reason`, then `QF_REASON`, then the one stored by `qf reason set`. Undefined: none. Throws ERR_USAGE.
 */
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
    // A damaged file counts as missing; a policy that requires a reason will ask.
    if (!isQfError(error, "ERR_STATE_DAMAGED")) throw error;
    return undefined;
  }
}

/** Asks on the terminal. Undefined when there is no terminal. */
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
