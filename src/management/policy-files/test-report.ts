/**
 * Reports of an account's tests, and the refusal of a save that fails them.
 *
 * @module
 */
import { QfError } from "../../base/errors.ts";
import { namesOf } from "../../policy/code/names.ts";
import { renderTest } from "../../policy/code/render.ts";
import { runTests } from "../../policy/code/run-tests.ts";
import { sentenceOf } from "../../policy/sentences.ts";
import type { PolicyAccount } from "../../wire/policy-account.ts";
import { FORCE_HINT, type PolicyTestOutcome, type PolicyTestReport } from "../../wire/policy-code-api.ts";

/** Failing tests named in a refusal. */
const NAMED_MAX = 3;

/** Runs the account's tests. */
export function reportTests(account: PolicyAccount, nowSeconds: number): PolicyTestReport {
  const names = namesOf(account);
  const results = runTests(account, nowSeconds).map(
    ({ test, passed, outcome, reason }, i): PolicyTestOutcome => ({
      ...{ number: i + 1, test: renderTest(test, names), passed, outcome, reason },
      sentence: reason === null ? null : sentenceOf(reason).sentence,
    }),
  );
  const failed = results.filter(({ passed }) => !passed).length;
  return { passed: results.length - failed, failed, results };
}

/** The refusal of a save that fails these tests. */
export function testsFail({ results, failed }: PolicyTestReport): QfError {
  const told = results
    .filter(({ passed }) => !passed)
    .slice(0, NAMED_MAX)
    .map(describeFailure);
  const more = failed > NAMED_MAX ? [`and ${failed - NAMED_MAX} more`] : [];
  const count = failed === 1 ? "1 policy test fails" : `${failed} policy tests fail`;
  return new QfError("ERR_CONFLICT", `${count}: ${[...told, ...more].join("; ")}`, { hint: FORCE_HINT });
}

/** One failing test, on one line. */
export function describeFailure({ number, test, outcome, reason }: PolicyTestOutcome): string {
  const what = `${test.user} as ${test.local_user} on ${test.machine}`;
  const name = test.name ? `${JSON.stringify(test.name)} (${what})` : what;
  const wanted = test.reason === undefined ? test.expect : `${test.expect} (${test.reason})`;
  const got =
    outcome === null ? "something that it names is gone" : `it is ${outcome}${reason ? ` (${reason})` : ""}`;
  return `test ${number}, ${name}, expects ${wanted} and ${got}`;
}
