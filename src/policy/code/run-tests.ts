/**
 * Runs an account's policy tests: questions with expected answers.
 *
 * A test assumes what a person can do alone: a reason is given and the sign-in is fresh. It does not assume
 * an approval. The machine's flags allow everything, since a policy does not set them.
 *
 * @module
 */
import type { PolicyAccount, PolicyTest } from "../../wire/policy-account.ts";
import type { ReasonCode } from "../../wire/reason.ts";
import { createQuestions, type Questions } from "./questions.ts";

/** The result of one test. */
export interface TestResult {
  readonly test: PolicyTest;
  readonly passed: boolean;
  /** Null: something the test names no longer exists. */
  readonly outcome: "allow" | "deny" | null;
  /** For a denial. */
  readonly reason: ReasonCode | null;
  /** The rule that allows it. */
  readonly ruleId: string | null;
}

/** Runs the tests of `account` against it. */
export function runTests(account: PolicyAccount, nowSeconds: number): TestResult[] {
  const questions = createQuestions(account);
  const users = new Set(account.users.map(({ id }) => id));
  const peers = new Set(account.peers.map(({ id }) => id));
  return account.tests.map((test) => {
    const { userId, devicePeerId } = test;
    const isThere = users.has(userId) && (devicePeerId === null || peers.has(devicePeerId));
    return runTest(test, isThere ? questions : null, nowSeconds);
  });
}

function runTest(test: PolicyTest, questions: Questions | null, nowSeconds: number): TestResult {
  const { userId, devicePeerId, machinePeerId, localUser, action } = test;
  const device = devicePeerId === null ? {} : { devicePeerId };
  const answer = questions?.ask({ userId, ...device, machinePeerId, localUser, action, nowSeconds });
  if (answer === undefined) return { test, passed: false, outcome: null, reason: null, ruleId: null };
  const { decision } = answer;
  const reason = decision.kind === "deny" ? decision.reason : null;
  const isWanted = decision.kind === test.expect && (test.reason === null || test.reason === reason);
  const ruleId = decision.kind === "allow" ? decision.grant.ruleId : null;
  return { test, passed: isWanted, outcome: decision.kind, reason, ruleId };
}
