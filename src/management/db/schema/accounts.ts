/**
 * Accounts, people, and how they authenticate. Secrets are stored only as digests.
 *
 * @module
 */
import { sql } from "drizzle-orm";
import type { AccountSettings } from "../../../wire/account-settings.ts";
import type { Role } from "../../../wire/admin-api.ts";
import type { Dialect } from "./dialect.ts";

export const ROLES = [
  "owner",
  "admin",
  "network_admin",
  "auditor",
  "billing_admin",
  "user",
] as const satisfies readonly Role[];

/** `invitation`: the person chooses a first password. `reset`: another one. */
export const PASSWORD_LINK_KINDS = ["invitation", "reset"] as const;

/** A membership with an end. */
export interface GroupUntil {
  readonly groupId: string;
  /** First second in which the membership no longer counts. */
  readonly until: number;
  /** The request that granted it; only ending that request ends it early. Null: an administrator gave it. */
  readonly requestId: string | null;
}

export function accountTables(d: Dialect) {
  const meta = metaTable(d);
  const accounts = accountsTable(d);
  const users = usersTable(d, accounts);
  const idpAccounts = idpAccountsTable(d, accounts, users);
  const setupLinks = setupLinksTable(d);
  const passwordLinks = passwordLinksTable(d, users);
  return { meta, accounts, users, idpAccounts, setupLinks, passwordLinks };
}

export type AccountTables = ReturnType<typeof accountTables>;
export type Accounts = ReturnType<typeof accountsTable>;
export type Users = ReturnType<typeof usersTable>;

/** The account that a row belongs to and is deleted with. */
export function accountIdColumn(d: Dialect, accounts: Accounts) {
  return d
    .text("account_id")
    .notNull()
    .references(() => accounts.id, { onDelete: "cascade" });
}

/** Values of the installation, by `MetaKey`. */
function metaTable(d: Dialect) {
  return d.table("meta", { key: d.text("key").primaryKey(), value: d.text("value").notNull() });
}

function accountsTable(d: Dialect) {
  return d.table("accounts", {
    id: d.text("id").primaryKey(),
    domain: d.text("domain").notNull(),
    settings: d.json<AccountSettings>("settings").notNull(),
    onboarding: d
      .json<{ signup_form_pending: boolean; onboarding_flow_pending: boolean }>("onboarding")
      .notNull(),
    /** Grows with every change that may affect a map. Never goes back. */
    version: d.integer("version").notNull(),
    /** Number of the next audit event. */
    nextAuditSeq: d.integer("next_audit_seq").notNull(),
    createdAt: d.integer("created_at").notNull(),
    createdBy: d.text("created_by").notNull(),
  });
}

function usersTable(d: Dialect, accounts: Accounts) {
  return d.table(
    "users",
    {
      id: d.text("id").primaryKey(),
      accountId: accountIdColumn(d, accounts),
      /** `embedded` or `service` for our own issuers, whose URL may move; else the exact `iss`. */
      issuer: d.text("issuer").notNull(),
      subject: d.text("subject").notNull(),
      /** Shown, never identity. */
      email: d.text("email").notNull(),
      name: d.text("name").notNull(),
      role: d.word("role", ROLES).notNull(),
      autoGroups: d.json<string[]>("auto_groups").notNull(),
      isServiceUser: d.boolean("is_service_user").notNull(),
      isBlocked: d.boolean("is_blocked").notNull(),
      pendingApproval: d.boolean("pending_approval").notNull(),
      createdAt: d.integer("created_at").notNull(),
      /** Null: never. */
      lastLoginAt: d.integer("last_login_at"),
      /** Memberships with an end, beside `autoGroups`. Null: none. */
      autoGroupsUntil: d.json<GroupUntil[]>("auto_groups_until"),
    },
    (table) => [
      d.uniqueIndex("users_identity").on(table.accountId, table.issuer, table.subject),
      d.index("users_account").on(table.accountId),
      d.index("users_with_ends").on(table.accountId).where(sql`auto_groups_until is not null`),
    ],
  );
}

/** The embedded provider's own record of a person; `id` is the OIDC subject. */
function idpAccountsTable(d: Dialect, accounts: Accounts, users: Users) {
  return d.table("idp_accounts", {
    id: d.text("id").primaryKey(),
    accountId: accountIdColumn(d, accounts),
    userId: d
      .text("user_id")
      .notNull()
      .unique()
      .references(() => users.id, { onDelete: "cascade" }),
    /** Lower case. */
    email: d.text("email").notNull().unique(),
    /** argon2id, encoded. */
    passwordHash: d.text("password_hash").notNull(),
    passwordChangedAt: d.integer("password_changed_at").notNull(),
    failedAttempts: d.integer("failed_attempts").notNull(),
    /** Null: not locked. */
    lockedUntil: d.integer("locked_until"),
    createdAt: d.integer("created_at").notNull(),
    /** Someone else knows the password, so its person must choose another at the next sign-in. */
    mustChange: d.boolean("must_change").notNull().default(false),
  });
}

/** One-time setup links: of a fresh server, and of an owner with an external provider. */
function setupLinksTable(d: Dialect) {
  return d.table("setup_links", {
    hash: d.text("hash").primaryKey(),
    createdAt: d.integer("created_at").notNull(),
    expiresAt: d.integer("expires_at").notNull(),
    usedAt: d.integer("used_at"),
  });
}

/** Links by which a person of the embedded provider chooses a password. A used one is deleted. */
function passwordLinksTable(d: Dialect, users: Users) {
  return d.table(
    "password_links",
    {
      hash: d.text("hash").primaryKey(),
      userId: d
        .text("user_id")
        .notNull()
        .references(() => users.id, { onDelete: "cascade" }),
      kind: d.word("kind", PASSWORD_LINK_KINDS).notNull(),
      createdAt: d.integer("created_at").notNull(),
      expiresAt: d.integer("expires_at").notNull(),
    },
    (table) => [d.index("password_links_user").on(table.userId)],
  );
}
