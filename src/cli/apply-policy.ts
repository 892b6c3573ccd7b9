/**
 * Applying of a policy file over the API: shows the difference first, and applies exactly what it showed.
 *
 * @module
 */
import { isQfError, QfError } from "../base/errors.ts";
import { parseReason } from "../wire/access-reason.ts";
import { PolicyApplied, PolicyDiff } from "../wire/policy-code-api.ts";
import type { PolicyFile } from "../wire/policy-file.ts";
import { type Admin, type Answer, printBody } from "./admin.ts";
import { print } from "./output.ts";
import { askYes } from "./policy-input.ts";
import { diffText } from "./policy-output.ts";
import { say } from "./report.ts";

/** A policy file as text with its comments, or as a value. */
export type GivenFile = { readonly text: string } | { readonly file: PolicyFile };

export interface ApplyOptions {
  readonly yes?: boolean | undefined;
  readonly force?: boolean | undefined;
  readonly json?: boolean | undefined;
  readonly reason?: string | undefined;
  /** Changes policies that are kept elsewhere. */
  readonly override?: boolean | undefined;
  /** Applies only if the account is at this version. Absent: any. */
  readonly version?: number | undefined;
}

/** The difference that a file would make. `days` absent: management's default. */
export function askDiff(admin: Admin, given: GivenFile, days?: number): Promise<Answer<PolicyDiff>> {
  const body = { ...given, ...(days === undefined ? {} : { days }) };
  return admin.request("POST", "/api/policy/diff", { body, answer: PolicyDiff });
}

/** Applies the file. Returns the exit status: 0 if it was applied or there was nothing to apply. */
export async function applyFile(admin: Admin, given: GivenFile, options: ApplyOptions): Promise<number> {
  const { version, force, override } = options;
  const reason = options.reason === undefined ? undefined : parseReason("--reason", options.reason, "change");
  if (override === true && reason === undefined) {
    throw new QfError("ERR_USAGE", "--override needs --reason", {
      hint: "say why the policies are not changed where they are kept",
    });
  }
  const { value: diff } = await askDiff(admin, given);
  const isShown = options.json !== true;
  if (isShown) await print(diffText(diff));
  if (version !== undefined && version !== diff.version) {
    throw new QfError("ERR_CONFLICT", `the account is at version ${diff.version}, not at ${version}`, {
      hint: "look at the difference again",
    });
  }
  if (diff.same && isShown && diff.settles !== true) return 0;
  if (options.yes !== true && !diff.same && !confirm()) return 1;
  const body = {
    ...given,
    ...{ version: diff.version, digest: diff.digest },
    ...(force === true ? { force } : {}),
    ...(reason === undefined ? {} : { reason }),
    ...(override === true ? { override } : {}),
  };
  const answer = await applyPlan(admin, given, body);
  if (answer === null) return 1;
  if (!isShown) return await printBody(answer).then(() => 0);
  await print(`\nApplied; the account is at version ${answer.value.version}.\n`);
  if (answer.value.forced) say("warning", `it was applied although ${forcedPast(answer.value)}`);
  return 0;
}

function forcedPast({ tests }: PolicyApplied): string {
  return tests.failed > 0 ? "tests fail" : "nobody can log in to any machine now";
}

function confirm(): boolean {
  const answer = askYes("Apply this?");
  if (answer === null) {
    throw new QfError("ERR_USAGE", "there is no terminal to ask at", {
      hint: "give --yes to apply without asking",
    });
  }
  if (!answer) say("note", "nothing was changed");
  return answer;
}

/** Null: the account has changed meanwhile, and the new difference was shown. */
async function applyPlan(
  admin: Admin,
  given: GivenFile,
  body: { readonly version: number },
): Promise<Answer<PolicyApplied> | null> {
  try {
    return await admin.request("POST", "/api/policy/apply", { body, answer: PolicyApplied });
  } catch (error) {
    if (!isQfError(error, "ERR_CONFLICT")) throw error;
    const { value } = await askDiff(admin, given, 0);
    if (value.version === body.version) throw error;
    say("error", error.message);
    process.stderr.write(diffText(value));
    return null;
  }
}
