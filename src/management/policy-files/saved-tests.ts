/**
 * The account's policy tests, run at every save. A save that fails them is refused, unless it only removes
 * access.
 *
 * Tests guard against mistakes, not against administrators: with `force` the save succeeds and is audited.
 *
 * @module
 */
import { nowSeconds } from "../../base/clock.ts";
import { accessTable } from "../../policy/code/access-rows.ts";
import { differenceOf } from "../../policy/code/difference.ts";
import { rulesOf } from "../../policy/code/questions.ts";
import type { PolicyAccount } from "../../wire/policy-account.ts";
import type { PolicyTestReport } from "../../wire/policy-code-api.ts";
import type { AccountId } from "../../wire/units.ts";
import type { ManagementContext } from "../contracts/context.ts";
import type { ChangeWriter } from "../db/store.ts";
import { listPolicyTests } from "../db/tables/policy-files.ts";
import { loadPolicyAccount } from "./load-account.ts";
import { reportTests, testsFail } from "./test-report.ts";

/** A save that may be refused. */
export interface GuardedSave {
  readonly ctx: Pick<ManagementContext, "store" | "origin">;
  readonly accountId: AccountId;
  /** Saves even when tests fail. */
  readonly force: boolean;
  /** Counts only tests that passed before, for a save of something other than policy. */
  readonly onlyNewFailures?: boolean;
}

/**
 * Makes the change, then runs the tests on the result. Throws ERR_CONFLICT, which rolls the transaction back,
 * when a test fails and someone gains access.
 */
export async function withTests<T>(
  tx: ChangeWriter,
  save: GuardedSave,
  change: () => Promise<T>,
): Promise<T> {
  const { ctx, accountId } = save;
  const result = await change();
  if ((await listPolicyTests(tx, accountId)).length === 0) return result;
  const after = await loadPolicyAccount(tx, accountId, ctx);
  if (after === undefined) return result;
  const now = nowSeconds(tx.clock);
  const report = reportTests(after, now);
  if (report.failed === 0) return result;
  // Another reader sees only committed data, so the account before this change.
  const before = await ctx.store.snapshot((reader) => loadPolicyAccount(reader, accountId, ctx));
  if (before === undefined || !gainsBetween(before, after, now)) return result;
  if (save.onlyNewFailures === true && !hasNewFailures(reportTests(before, now), report)) return result;
  if (!save.force) throw testsFail(report);
  recordForce(tx, accountId, report);
  return result;
}

/** Logs a forced save and its failed tests. There may be none, if it was forced past the lock-out check. */
export function recordForce(tx: ChangeWriter, accountId: AccountId, report: PolicyTestReport): void {
  const failing = report.results.filter(({ passed }) => !passed).map(({ number }) => number);
  const meta = { failed: String(report.failed), tests: failing.slice(0, 32).join(",") };
  tx.record({ activity: "policy.force", targetId: accountId, meta });
}

function hasNewFailures(before: PolicyTestReport, after: PolicyTestReport): boolean {
  const passing = new Set(before.results.filter(({ passed }) => passed).map(({ number }) => number));
  return after.results.some(({ passed, number }) => !passed && passing.has(number));
}

/** Whether anyone may do more in `after` than in `before`. */
export function gainsBetween(before: PolicyAccount, after: PolicyAccount, now: number): boolean {
  const { users, peers, settings } = after;
  const isSame = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);
  if (!isSame(before.settings, settings)) return true;
  const rules = { before: rulesOf(before), after: rulesOf(after) };
  const blocks = differenceOf({ users, peers, settings, ...rules, nowSeconds: now });
  if (blocks.some(({ changes }) => changes.some(({ gained }) => gained.length > 0))) return true;
  return gainsByPeople(before, after, now);
}

/** Whether changed users, devices or machines gain access, under unchanged rules. */
function gainsByPeople(before: PolicyAccount, after: PolicyAccount, now: number): boolean {
  const oldUsers = new Map(before.users.map((user) => [user.id, JSON.stringify(user)]));
  const oldPeers = new Map(before.peers.map((peer) => [peer.id, JSON.stringify(peer)]));
  const peers = after.peers.filter((peer) => oldPeers.get(peer.id) !== JSON.stringify(peer));
  const owners = new Set(peers.map(({ ownerUserId }) => ownerUserId));
  const users = after.users.filter(
    (user) => owners.has(user.id) || oldUsers.get(user.id) !== JSON.stringify(user),
  );
  const machines = peers.filter(({ kind }) => kind === "machine");
  if (users.length + machines.length === 0) return false;
  const rowsIn = (account: PolicyAccount, ids: { users: Set<string> | null; machines: Set<string> | null }) =>
    accessTable({
      users: account.users.filter(({ id }) => ids.users?.has(id) ?? true),
      peers: account.peers,
      machines: account.peers.filter(({ id }) => ids.machines?.has(id) ?? true),
      settings: account.settings,
      rules: rulesOf(after),
      nowSeconds: now,
    });
  return [
    { users: new Set(users.map(({ id }) => id)), machines: null },
    { users: null, machines: new Set(machines.map(({ id }) => id)) },
  ].some((ids) => {
    const old = new Map(
      rowsIn(before, ids).map((row) => [[row.userId, row.machineId, row.localUser].join(), row.words]),
    );
    return rowsIn(after, ids).some(({ userId, machineId, localUser, words }) => {
      const was =
        old.get([userId, machineId, localUser].join()) ?? old.get([userId, machineId, "*"].join()) ?? [];
      return words.some((word) => !was.includes(word));
    });
  });
}
