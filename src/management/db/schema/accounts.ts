/**
 * Accounts, people, and what proves them to us. Secrets are kept as digests only.
 *
 * @module
 */
import type { AccountSettings } from "../../../wire/account-settings.ts";
import type { Role, TokenScope } from "../../../wire/admin-api.ts";
import type { Dialect } from "./dialect.ts";

export const ROLES = [
  "owner",
  "admin",
  "network_admin",
  "auditor",
  "billing_admin",
  "user",
] as const satisfies readonly Role[];
export const TOKEN_SCOPES = ["api", "ssh"] as const satisfies readonly TokenScope[];

export function accountTables(d: Dialect) {
  /** What belongs to the installation: `origin`, `epoch`. */
  const meta = d.table("meta", { key: d.text("key").primaryKey(), value: d.text("value").notNull() });

  const accounts = d.table("accounts", {
    id: d.text("id").primaryKey(),
    domain: d.text("domain").notNull(),
    settings: d.json<AccountSettings>("settings").notNull(),
    onboarding: d
      .json<{ signup_form_pending: boolean; onboarding_flow_pending: boolean }>("onboarding")
      .notNull(),
    /** Grows with every change that may concern a map. Never goes back. */
    version: d.integer("version").notNull(),
    /** Number of the next audit event. */
    nextAuditSeq: d.integer("next_audit_seq").notNull(),
    createdAt: d.integer("created_at").notNull(),
    createdBy: d.text("created_by").notNull(),
  });

  const users = d.table(
    "users",
    {
      id: d.text("id").primaryKey(),
      accountId: d
        .text("account_id")
        .notNull()
        .references(() => accounts.id, { onDelete: "cascade" }),
      /** `embedded` and `service` stand for our own issuers, whose URL may move; else the exact `iss`. */
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
    },
    (table) => [
      d.uniqueIndex("users_identity").on(table.accountId, table.issuer, table.subject),
      d.index("users_account").on(table.accountId),
    ],
  );

  /** The embedded provider's own record of a person; `id` is the OIDC subject. */
  const idpAccounts = d.table("idp_accounts", {
    id: d.text("id").primaryKey(),
    accountId: d
      .text("account_id")
      .notNull()
      .references(() => accounts.id, { onDelete: "cascade" }),
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
  });

  const apiTokens = d.table(
    "api_tokens",
    {
      id: d.text("id").primaryKey(),
      accountId: d
        .text("account_id")
        .notNull()
        .references(() => accounts.id, { onDelete: "cascade" }),
      userId: d
        .text("user_id")
        .notNull()
        .references(() => users.id, { onDelete: "cascade" }),
      name: d.text("name").notNull(),
      scope: d.word("scope", TOKEN_SCOPES).notNull(),
      hash: d.text("hash").notNull().unique(), // SHA-256 of the token.
      createdBy: d.text("created_by").notNull(),
      createdAt: d.integer("created_at").notNull(),
      expiresAt: d.integer("expires_at").notNull(),
      lastUsedAt: d.integer("last_used_at"),
      loginId: d.text("login_id"), // The login that made it, and ends it. Null: a token made by name.
    },
    (table) => [d.index("api_tokens_user").on(table.userId)],
  );

  /** One-time links: of a fresh server, and of an owner with an external provider. */
  const setupLinks = d.table("setup_links", {
    hash: d.text("hash").primaryKey(),
    createdAt: d.integer("created_at").notNull(),
    expiresAt: d.integer("expires_at").notNull(),
    usedAt: d.integer("used_at"),
  });

  return { meta, accounts, users, idpAccounts, apiTokens, setupLinks };
}

export type AccountTables = ReturnType<typeof accountTables>;
