/**
 * Loading of an account from the database, in one transaction, in the form that policy evaluates.
 *
 * @module
 */
import { nowSeconds } from "../../base/clock.ts";
import { groupsAt } from "../../policy/decide/snapshot.ts";
import type { AccountPeer } from "../../policy/maps/compile.ts";
import type { MapUser } from "../../wire/network-map.ts";
import {
  type AccountGroup,
  type AccountPolicy,
  POLICY_ACCOUNT_FORMAT,
  type PolicyAccount,
} from "../../wire/policy-account.ts";
import type { AccountId, EpochSeconds } from "../../wire/units.ts";
import { mapSettings } from "../contracts/settings.ts";
import type { Reader } from "../db/engine/transaction.ts";
import { listGroups } from "../db/tables/groups.ts";
import { shownPeerName } from "../db/tables/peers.ts";
import { listPolicies, type PolicyWithRules } from "../db/tables/policies.ts";
import { listPolicyTests } from "../db/tables/policy-files.ts";
import { readAccount } from "../maps/account-rows.ts";
import { entitiesOf } from "../maps/account-snapshot.ts";

/** The installation's origin, from which the issuers of its own users derive. */
export interface AccountPlace {
  readonly origin: string;
}

/** The whole account. Undefined: it does not exist. */
export async function loadPolicyAccount(
  tx: Reader,
  accountId: AccountId,
  { origin }: AccountPlace,
): Promise<PolicyAccount | undefined> {
  const rows = await readAccount(tx, accountId, null);
  if (rows === undefined || rows.kind !== "whole") return undefined;
  const { account, part, settled } = rows;
  const entities = entitiesOf(part, settled, { origin, embeddedIssuer: `${origin}/idp` });
  const now = nowSeconds(tx.clock);
  const users = entities.users.map((user) => standingAt(user, now));
  const peers = entities.peers.map(withoutApprovals);
  const byId = new Map(part.peers.map((peer) => [peer.id, peer]));
  return {
    format: POLICY_ACCOUNT_FORMAT,
    accountId,
    version: account.version,
    settings: {
      ...mapSettings(account.settings, account.domain),
      ...(settled.allowBrowsers ? {} : { allowBrowsers: false as const }),
    },
    groups: await listAccountGroups(tx, accountId),
    users,
    peers: peers.map((peer) => {
      const row = byId.get(peer.id);
      return { ...peer, dnsName: row?.dnsName ?? peer.name, shownName: row ? shownPeerName(row) : peer.name };
    }),
    postureChecks: settled.postureChecks.map(({ id, name }) => ({ id, name })),
    policies: await listAccountPolicies(tx, accountId),
    tests: [...(await listPolicyTests(tx, accountId))],
  };
}

/** The parts of an account that a policy file can set, without its people and machines. */
export async function loadPolicies(
  tx: Reader,
  accountId: AccountId,
): Promise<Pick<PolicyAccount, "policies" | "groups" | "tests">> {
  return {
    policies: await listAccountPolicies(tx, accountId),
    groups: await listAccountGroups(tx, accountId),
    tests: [...(await listPolicyTests(tx, accountId))],
  };
}

async function listAccountPolicies(tx: Reader, accountId: AccountId): Promise<AccountPolicy[]> {
  return (await listPolicies(tx, accountId)).map(asAccountPolicy);
}

async function listAccountGroups(tx: Reader, accountId: AccountId): Promise<AccountGroup[]> {
  const groups = await listGroups(tx, accountId);
  return groups.map(({ id, name, isAll, settings }) => ({ id, name, isAll, settings: settings ?? {} }));
}

/** The user with memberships as of `now`: one with an end counts fully until then. */
function standingAt(user: MapUser, now: EpochSeconds): MapUser {
  const { groupsUntil, ...rest } = user;
  return groupsUntil === undefined ? user : { ...rest, groups: [...groupsAt(user, now)] };
}

/** The peer without approvals, which are not part of the policy. */
function withoutApprovals(peer: AccountPeer): AccountPeer {
  const { approvals, ...rest } = peer;
  return approvals === undefined ? peer : rest;
}

function asAccountPolicy({ policy, rules }: PolicyWithRules): AccountPolicy {
  const { id, name, description, enabled, sourcePostureChecks } = policy;
  return {
    ...{ id, name, description, enabled, sourcePostureChecks },
    rules: rules.map((rule) => {
      const { id: _, ...body } = { id: "", ...rule.body };
      return { ...body, id: rule.id };
    }),
  };
}
