/**
 * Attacks on a live installation with what any client could send. No test mode answers them, and they change
 * nothing.
 *
 * Each names its target and checks that it is refused. They run one at a time and few of a kind, so that they
 * reach no limit and disturb no users.
 *
 * @module
 */
import { isQfError } from "../../base/errors.ts";
import { printable } from "../../base/printable.ts";
import type { AttackReport, AttackResult } from "../../wire/selftest.ts";

/** Time limit of one attack. */
const ATTACK_MS_MAX = 30_000;
const DETAIL_CHARS_MAX = 200;

/** Null: refused. A sentence: what happened instead. */
export type Verdict = string | null | { readonly skipped: string };

export interface Attack {
  readonly id: string;
  readonly target: string;
  readonly tried: string;
  run(): Promise<Verdict>;
}

/** Runs all attacks. Calls `onResult` after each. */
export async function runAttacks(
  attacks: readonly Attack[],
  onResult: (result: AttackResult) => void = () => {},
): Promise<AttackReport> {
  const results: AttackResult[] = [];
  for (const attack of attacks) {
    const result = await resultOf(attack);
    results.push(result);
    onResult(result);
  }
  return { held: results.every(({ outcome }) => outcome !== "broke"), results };
}

async function resultOf({ id, target, tried, run }: Attack): Promise<AttackResult> {
  const about = { id, target, tried };
  try {
    const verdict = await inTime(run());
    if (verdict === null) return { ...about, outcome: "held", detail: null };
    if (typeof verdict === "string") return { ...about, outcome: "broke", detail: shown(verdict) };
    return { ...about, outcome: "skipped", detail: shown(verdict.skipped) };
  } catch (error) {
    const why = isQfError(error) ? error.message : String((error as Error)?.message ?? error);
    return { ...about, outcome: "skipped", detail: shown(`it could not be tried: ${why}`) };
  }
}

/** A target's output is untrusted. */
function shown(text: string): string {
  return printable(text).slice(0, DETAIL_CHARS_MAX);
}

async function inTime(work: Promise<Verdict>): Promise<Verdict> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<Verdict>((resolve) => {
    timer = setTimeout(() => resolve("there was no answer in time"), ATTACK_MS_MAX);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}
