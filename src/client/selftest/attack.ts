/**
 * Attacks on a live set-up by what any client could send: no test mode answers them, and nothing is changed.
 *
 * Each names its target and looks whether it is refused. They run one after the other, few of a kind, so that
 * no limit is reached and nobody who works there notices.
 *
 * @module
 */
import { isQfError } from "../../base/errors.ts";
import { printable } from "../../base/printable.ts";
import type { AttackReport, AttackResult } from "../../wire/selftest.ts";

/** Longest that one attack may take. */
const ATTACK_MS_MAX = 30_000;
const DETAIL_CHARS_MAX = 200;

/** Null: it was refused. A sentence: what was seen instead. */
export type Verdict = string | null | { readonly skipped: string };

export interface Attack {
  readonly id: string;
  readonly target: string;
  readonly tried: string;
  run(): Promise<Verdict>;
}

/** Runs all of them. `onResult` hears of each as it is over. */
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

/** What a target says may be anything. */
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
