/**
 * Changes that need a fresh sign-in, because a stolen session or token could use them to gain lasting access,
 * let others in, or hide its tracks.
 *
 * The table names every such route, but for what groups require: `required-floors.ts` compares that before
 * and after any change. Removing access needs none. Read `FRESH_SIGN_INS`.
 *
 * @module
 */
import { nowSeconds } from "../../../base/clock.ts";
import { RECORD_WEIGHT } from "../../../policy/decide/obligations.ts";
import type {
  AccountRequest,
  GroupRequest,
  Role,
  SetupKeyCreateRequest,
  SetupKeyRequest,
  UserRequest,
} from "../../../wire/admin-api.ts";
import type { SaveQuery } from "../../../wire/admin-query.ts";
import type { PolicyRuleWrite, PolicyWrite } from "../../../wire/policy.ts";
import type { PolicyAccount } from "../../../wire/policy-account.ts";
import type { PolicyApplyRequest } from "../../../wire/policy-code-api.ts";
import { decidingGroups } from "../../access/request-terms.ts";
import type { Reader } from "../../db/engine/transaction.ts";
import { findAccount } from "../../db/tables/accounts.ts";
import { findGroup } from "../../db/tables/groups.ts";
import { findPolicy } from "../../db/tables/policies.ts";
import { ENDLESS, findSetupKey } from "../../db/tables/setup-keys.ts";
import { findUser } from "../../db/tables/users.ts";
import { loadPolicyAccount } from "../../policy-files/load-account.ts";
import { accountWith, fileOf } from "../../policy-files/plan-file.ts";
import { type Access, mayCall } from "./access.ts";
import { settingsAfter } from "./group-settings.ts";
import type { Call, Route } from "./route.ts";
import { isLessKept, isOtherSignIn, isOtherSource, mergeSettings } from "./settings-change.ts";

/** Whether this request needs a fresh sign-in. The answer does not matter where its route refuses anyway. */
type Need = (tx: Reader, call: Call) => boolean | Promise<boolean>;

/** A setup key valid for longer than this is treated as one that never expires. */
export const SETUP_KEY_LONG_SECONDS = 31_536_000;

const always: Need = () => true;

export const FRESH_SIGN_INS: Readonly<Record<string, Need>> = {
  "delete /api/accounts/:accountId": always,
  "put /api/accounts/:accountId": need(changesSettings),
  // A person is created with an invitation, and a service user gets tokens.
  "post /api/users": always,
  "put /api/users/:userId": need(raisesUser),
  "post /api/users/:userId/invite": always,
  "post /api/users/:userId/password-reset": always,
  "post /api/users/:userId/tokens": always,
  "post /api/setup-keys": need<SetupKeyCreateRequest>((_tx, { body }) => isLong(body.expires_in)),
  "put /api/setup-keys/:keyId": need(widensSetupKey),
  "post /api/groups": need<GroupRequest>((_tx, { body }) => approversOf(settingsAfter(null, body)) !== ""),
  "put /api/groups/:groupId": need(changesTerms),
  "post /api/policies": need<PolicyWrite>((_tx, { body }) => loosensRules([], body.rules)),
  "put /api/policies/:policyId": need(loosensPolicy),
  "post /api/policy/apply": need(loosensByFile),
  "post /api/audit-streams": always,
  "put /api/audit-streams/:streamId": always,
  "delete /api/audit-streams/:streamId": always,
  "delete /api/recordings/:recordingId": always,
  // It lets the fleet continue with a restored log.
  "post /api/events/audit/lost/acknowledge": always,
};

/** Whether a request of this route needs a fresh sign-in. With `force`, every one does. */
export async function takesFreshSignIn(
  tx: Reader,
  route: Pick<Route, "method" | "path" | "tests">,
  call: Call,
): Promise<boolean> {
  if (route.tests !== undefined && (call.query as SaveQuery).force === "true") return true;
  return (await FRESH_SIGN_INS[`${route.method} ${route.path}`]?.(tx, call)) ?? false;
}

function need<B>(when: (tx: Reader, call: Call<B>) => boolean | Promise<boolean>): Need {
  return when as Need;
}

async function changesSettings(tx: Reader, { accountId, body }: Call<AccountRequest>): Promise<boolean> {
  const old = (await findAccount(tx, accountId))?.settings;
  if (old === undefined) return false;
  const now = mergeSettings(old, body.settings);
  return isLessKept(old, now) || isOtherSignIn(old, now) || isOtherSource(old, now);
}

/** A role that may do more, or a group whose members decide about requests. */
async function raisesUser(tx: Reader, call: Call<UserRequest>): Promise<boolean> {
  const user = await findUser(tx, call.accountId, call.param("userId"));
  if (user === undefined) return false;
  if (isRaised(user.role, call.body.role)) return true;
  const added = call.body.auto_groups.filter((id) => !user.autoGroups.includes(id));
  if (added.length === 0) return false;
  const deciding = await decidingGroups(tx, call.accountId);
  return added.some((id) => deciding.has(id));
}

function isRaised(from: Role, to: Role): boolean {
  const all: readonly Access[] = ["owner", "write", "read"];
  return all.some((access) => mayCall(to, access) && !mayCall(from, access));
}

function isLong(seconds: number): boolean {
  return seconds === 0 || seconds > SETUP_KEY_LONG_SECONDS;
}

/** More groups for a long-lived key. */
async function widensSetupKey(tx: Reader, call: Call<SetupKeyRequest>): Promise<boolean> {
  const key = await findSetupKey(tx, call.accountId, call.param("keyId"));
  if (key === undefined || call.body.revoked) return false;
  const { expiresAt, autoGroups } = key;
  const isEndless = expiresAt === ENDLESS || isLong(Math.max(1, expiresAt - nowSeconds(tx.clock)));
  return isEndless && call.body.auto_groups.some((id) => !autoGroups.includes(id));
}

/** Other people decide about requests. */
async function changesTerms(tx: Reader, call: Call<GroupRequest>): Promise<boolean> {
  const group = await findGroup(tx, call.accountId, call.param("groupId"));
  if (group === undefined) return false;
  const before = group.settings ?? null;
  const after = settingsAfter(before, call.body);
  return approversOf(before) !== approversOf(after);
}

function approversOf(settings: { readonly approverGroups?: readonly string[] | undefined } | null): string {
  return [...new Set(settings?.approverGroups)].sort().join();
}

async function loosensPolicy(tx: Reader, call: Call<PolicyWrite>): Promise<boolean> {
  const old = await findPolicy(tx, call.accountId, call.param("policyId"));
  if (old === undefined) return false;
  const before = old.rules.map(({ id, body }) => ({ id, ...body }));
  return loosensRules(before, call.body.rules);
}

type Judged = Pick<PolicyRuleWrite, "id" | "action" | "approver_groups" | "ssh">;

/**
 * Other people decide about requests, or less is recorded. A rule sent without its id counts as new, and is
 * compared with the rules that disappear.
 */
function loosensRules(before: readonly Judged[], after: readonly Judged[]): boolean {
  const old = new Map(before.map((rule) => [rule.id, rule]));
  const kept = new Set(after.map(({ id }) => id));
  const gone = before.filter(({ id }) => !kept.has(id));
  return after.some((rule) => {
    const was = old.get(rule.id);
    if (was !== undefined)
      return approvers(rule) !== approvers(was) || recordWeight(rule) < recordWeight(was);
    if (approvers(rule) !== "") return true;
    const isLooser = (one: Judged) => approvers(one) !== "" || recordWeight(rule) < recordWeight(one);
    return rule.action === "accept" && gone.some(isLooser);
  });
}

function approvers(rule: Judged): string {
  return approversOf({ approverGroups: rule.approver_groups });
}

function recordWeight({ ssh }: Judged): number {
  return RECORD_WEIGHT[ssh?.record ?? "off"];
}

/** The same for a policy file. The route itself refuses an invalid one. */
async function loosensByFile(tx: Reader, call: Call<PolicyApplyRequest>): Promise<boolean> {
  if (call.body.force === true || call.body.override === true) return true;
  const before = await loadPolicyAccount(tx, call.accountId, call.ctx);
  if (before === undefined) return false;
  const after = accountWith(before, fileOf(call.body));
  if (groupApprovers(before) !== groupApprovers(after)) return true;
  return loosensRules(rulesIn(before), rulesIn(after));
}

function rulesIn({ policies }: PolicyAccount): Judged[] {
  return policies.flatMap(({ rules }) => rules);
}

function groupApprovers({ groups }: PolicyAccount): string {
  return JSON.stringify(groups.map(({ id, settings }) => [id, approversOf(settings ?? null)]));
}
