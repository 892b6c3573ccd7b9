/**
 * /api/accounts: the caller's own account and its settings.
 *
 * @module
 */
import { QfError } from "../../../base/errors.ts";
import { Account, AccountRequest, type AccountSettings } from "../../../wire/admin-api.ts";
import { Empty, NoQuery } from "../../../wire/admin-query.ts";
import type { Reader } from "../../db/engine/store.ts";
import { type AccountRow, deleteAccount, findAccount, updateAccount } from "../../db/tables/accounts.ts";
import { filled } from "../../settings.ts";
import { notFound } from "./access.ts";
import { requireKnownGroups } from "./references.ts";
import { type Call, isoTime, type Route, route } from "./route.ts";

/** The only range in which addresses are given out. */
const NETWORK_RANGE = "100.64.0.0/10";

export const accountRoutes: readonly Route[] = [
  route({
    method: "get",
    path: "/api/accounts",
    summary: "The caller's account, as a list of one",
    access: "read",
    query: NoQuery,
    answer: { listOf: Account },
    handle: (call) => call.read(async (tx) => [asAccount(await ownAccount(call, tx, call.accountId))]),
  }),
  route({
    method: "put",
    path: "/api/accounts/:accountId",
    summary: "Changes settings; fields that are left out stay as they are",
    access: "write",
    query: NoQuery,
    body: AccountRequest,
    answer: { one: Account },
    handle: (call) =>
      call.change({ affectsMaps: true }, async (tx) => {
        const accountId = call.param("accountId");
        const account = await ownAccount(call, tx, accountId);
        const { settings, onboarding } = call.body;
        await requireKnownGroups(tx, accountId, settings.peer_expose_groups, "settings.peer_expose_groups");
        requireSettings(settings);
        const merged = mergeSettings(account.settings, settings);
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
        return asAccount(await ownAccount(call, tx, accountId));
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
    settings: { ...account.settings, ...filled(account.settings), dns_domain: account.domain },
    domain: account.domain,
    domain_category: "private",
    created_at: isoTime(account.createdAt),
    created_by: account.createdBy,
    onboarding: account.onboarding,
  };
}

function requireSettings(settings: AccountSettings): void {
  if (settings.network_range !== undefined && settings.network_range !== NETWORK_RANGE) {
    throw new QfError("ERR_UNPROCESSABLE", `settings.network_range must be ${NETWORK_RANGE}`);
  }
}

/** Tools that do not know our fields leave them out: that changes nothing about them. */
function mergeSettings(old: AccountSettings, settings: AccountSettings): AccountSettings {
  return {
    ...old,
    ...settings,
    require: { ...filled(old).require, ...settings.require },
    // Told by how the server was started, not by a request.
    ...(old.embedded_idp_enabled === undefined ? {} : { embedded_idp_enabled: old.embedded_idp_enabled }),
  };
}

/** Names of the fields that are different now. */
function changed(old: AccountSettings, now: AccountSettings): Record<string, string> {
  const before: Record<string, unknown> = old;
  const after: Record<string, unknown> = now;
  const names = Object.keys(after).filter(
    (key) => JSON.stringify(before[key]) !== JSON.stringify(after[key]),
  );
  return { changed: names.join(",") };
}
