/**
 * /api/accounts: the caller's own account and its settings.
 *
 * @module
 */
import { type AccountSettings, PEER_LOGIN_SECONDS_MIN } from "../../../wire/account-settings.ts";
import { Account, AccountRequest } from "../../../wire/admin-api.ts";
import { Empty, NoQuery, PageQuery, SaveQuery } from "../../../wire/admin-query.ts";
import { effectless, filled, theirs } from "../../contracts/settings.ts";
import type { Reader } from "../../db/engine/transaction.ts";
import type { ChangeWriter } from "../../db/store.ts";
import { type AccountRow, deleteAccount, findAccount, updateAccount } from "../../db/tables/accounts.ts";
import { noteRetention, RETENTION_FIELDS } from "../../db/tables/shortened-retention.ts";
import { requireRecipientsKept } from "../../policy-files/encrypted-input.ts";
import { changeSource } from "../../policy-files/policy-source.ts";
import { notFound } from "./access.ts";
import { listingById } from "./paging.ts";
import { unprocessable } from "./policy-rules.ts";
import { requireKnownGroups } from "./references.ts";
import { type Call, isoTime, type Route, route } from "./route.ts";
import { mergeSettings } from "./settings-change.ts";

export const accountRoutes: readonly Route[] = [
  route({
    method: "get",
    path: "/api/accounts",
    summary: "The caller's account, as a list of one",
    access: "read",
    query: PageQuery,
    answer: { listOf: Account },
    handle: (call) =>
      call.read(async (tx) =>
        listingById(call.query, [await ownAccount(call, tx, call.accountId)], asAccount),
      ),
  }),
  route({
    method: "put",
    path: "/api/accounts/:accountId",
    summary: "Changes settings; fields that are left out stay as they are",
    access: "write",
    query: SaveQuery,
    tests: "new",
    body: AccountRequest,
    answer: { one: Account },
    also: [409],
    handle: (call) =>
      call.change({ affectsMaps: true }, async (tx) => {
        const accountId = call.param("accountId");
        const account = await ownAccount(call, tx, accountId);
        const { settings, onboarding, reason } = call.body;
        await requireKnownGroups(tx, accountId, groupsOfSettings(settings), "settings");
        requireSettings(settings, account.settings);
        const merged = mergeSettings(account.settings, settings);
        await requireRecipientsKept(tx, accountId, { before: account.settings, after: merged });
        await noteRetentions(tx, account, merged);
        await changeSource(tx, accountId, { before: account.settings, after: merged, reason });
        const domain = settings.dns_domain ?? account.domain;
        await updateAccount(tx, accountId, {
          settings: merged,
          domain,
          ...(onboarding ? { onboarding } : {}),
        });
        tx.record({
          activity: "account.settings.update",
          targetId: accountId,
          meta: changed(account.settings, merged),
        });
        const warnings = effectless(account.settings, merged).map(
          (field) => `settings.${field} is kept and has no effect here`,
        );
        const saved = asAccount(await ownAccount(call, tx, accountId));
        return warnings.length === 0 ? saved : { ...saved, warnings };
      }),
  }),
  route({
    method: "delete",
    path: "/api/accounts/:accountId",
    summary: "Deletes the account with everything in it but its audit log",
    access: "owner",
    query: NoQuery,
    answer: { one: Empty },
    handle: (call) =>
      call.change({ affectsMaps: true }, async (tx) => {
        const accountId = call.param("accountId");
        await ownAccount(call, tx, accountId);
        await deleteAccount(tx, accountId);
        tx.record({ activity: "account.delete", targetId: accountId });
        return {};
      }),
  }),
];

async function ownAccount(call: Call<unknown, unknown>, tx: Reader, accountId: string): Promise<AccountRow> {
  const account = accountId === call.accountId ? await findAccount(tx, accountId) : undefined;
  if (account === undefined) throw notFound("account");
  return account;
}

function asAccount(account: AccountRow): Account {
  return {
    id: account.id,
    settings: {
      ...account.settings,
      ...theirs(account.settings),
      ...filled(account.settings),
      dns_domain: account.domain,
    },
    domain: account.domain,
    domain_category: "private",
    created_at: isoTime(account.createdAt),
    created_by: account.createdBy,
    onboarding: account.onboarding,
  };
}

async function noteRetentions(tx: ChangeWriter, { id, settings }: AccountRow, now: AccountSettings) {
  const [before, after] = [filled(settings), filled(now)];
  for (const field of RETENTION_FIELDS) {
    await noteRetention(tx, { accountId: id, field }, { before: before[field], after: after[field] });
  }
}

/** Every group that the settings name. */
function groupsOfSettings({ peer_expose_groups, extra, ipv6_enabled_groups }: AccountSettings): string[] {
  return [
    ...peer_expose_groups,
    ...(extra?.network_traffic_logs_groups ?? []),
    ...(ipv6_enabled_groups ?? []),
  ];
}

function requireSettings(settings: AccountSettings, old: AccountSettings): void {
  const { peer_login_expiration, peer_expose_enabled, peer_expose_groups } = settings;
  const isNew = peer_login_expiration !== old.peer_login_expiration;
  if (isNew && peer_login_expiration < PEER_LOGIN_SECONDS_MIN) {
    throw unprocessable(`settings.peer_login_expiration must be at least ${PEER_LOGIN_SECONDS_MIN}`);
  }
  if (peer_expose_enabled && peer_expose_groups.length === 0) {
    throw unprocessable("settings.peer_expose_enabled needs a group in peer_expose_groups");
  }
}

/** Names of the fields that changed. */
function changed(old: AccountSettings, now: AccountSettings): Record<string, string> {
  const before: Record<string, unknown> = old;
  const after: Record<string, unknown> = now;
  const names = Object.keys(after).filter(
    (key) => JSON.stringify(before[key]) !== JSON.stringify(after[key]),
  );
  return { changed: names.join(",") };
}
