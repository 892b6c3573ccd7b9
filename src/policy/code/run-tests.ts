/**
 * Tests of an account's policy: each a question with the answer that it has to have.
 *
 * A test takes what a person can do for a grant as done: a reason is given, the sign-in is fresh. An approval
 * is not, and the machine's own flags are taken as open, since a policy does not set them.
 *
 * @module
 */
import type { PolicyAccount, PolicyTest } from "../../wire/policy-account.ts";
import type { ReasonCode } from "../../wire/reason.ts";
import { createQuestions, type Questions } from "./questions.ts";

/** What became of one test. */
export interface TestResult {
  readonly test: PolicyTest;
  readonly passed: boolean;
  /** Null: what the test names is gone. */
  readonly outcome: "allow" | "deny" | null;
  /** Of a denial. */
  readonly reason: ReasonCode | null;
  /** The rule that allows it. */
  readonly ruleId: string | null;
}

/** The tests of `account`, on it. */
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
