/**
 * Signing keys, logins, tokens, web sessions, and the state of sign-ins under way.
 *
 * @module
 */

import type { TokenScope } from "../../../wire/admin-api.ts";
import type { Binding } from "../../../wire/certificate.ts";
import type { PublicJwk } from "../../../wire/network-map.ts";
import { type Accounts, type AccountTables, accountIdColumn, type Users } from "./accounts.ts";
import type { Dialect } from "./dialect.ts";

export const KEY_PURPOSES = ["ca", "token", "oidc", "cookie", "tunnel", "log"] as const;
/** `next`: created, not signing yet. `active`: signs. `retiring`: only verifies. `retired`: neither. */
export const KEY_STATES = ["next", "active", "retiring", "retired"] as const;
const BINDINGS = ["idp", "ca", "service", "device"] as const satisfies readonly Binding[];
export const TOKEN_SCOPES = ["api", "ssh", "dangerous"] as const satisfies readonly TokenScope[];

export function trustTables(d: Dialect, { accounts, users }: AccountTables) {
  const signingKeys = signingKeysTable(d, accounts);
  const issuerKeys = issuerKeysTable(d, accounts);
  const oidcPayloads = oidcPayloadsTable(d);
  const challenges = challengesTable(d);
  const logins = loginsTable(d, accounts, users);
  const hostedLogins = hostedLoginsTable(d, accounts);
  const apiTokens = apiTokensTable(d, accounts, users, logins);
  const webSessions = webSessionsTable(d, accounts, users);
  return { signingKeys, issuerKeys, oidcPayloads, challenges, logins, hostedLogins, apiTokens, webSessions };
}

type Logins = ReturnType<typeof loginsTable>;

function signingKeysTable(d: Dialect, accounts: Accounts) {
  return d.table(
    "signing_keys",
    {
      id: d.text("id").primaryKey(),
      /** Null: a key of the server itself (`oidc`, `cookie`, `tunnel`). */
      accountId: d.text("account_id").references(() => accounts.id, { onDelete: "cascade" }),
      purpose: d.word("purpose", KEY_PURPOSES).notNull(),
      /** Key material, encrypted under the master key. */
      encrypted: d.text("encrypted").notNull(),
      /** Public key in the form its purpose uses. Empty for symmetric keys. */
      publicKey: d.text("public_key").notNull(),
      state: d.word("state", KEY_STATES).notNull(),
      createdAt: d.integer("created_at").notNull(),
      /** When it stopped signing. Null: it has not. */
      retiredAt: d.integer("retired_at"),
    },
    (table) => [d.index("signing_keys_account").on(table.accountId, table.purpose)],
  );
}

/** A provider's public keys as fetched. Old ones stay until no cached login can need them. */
function issuerKeysTable(d: Dialect, accounts: Accounts) {
  return d.table(
    "issuer_keys",
    {
      accountId: accountIdColumn(d, accounts),
      issuer: d.text("issuer").notNull(),
      /** SHA-256 of the canonical key. */
      thumbprint: d.text("thumbprint").notNull(),
      jwk: d.json<PublicJwk>("jwk").notNull(),
      firstSeenAt: d.integer("first_seen_at").notNull(),
      lastSeenAt: d.integer("last_seen_at").notNull(),
    },
    (table) => [d.primaryKey({ columns: [table.accountId, table.issuer, table.thumbprint] })],
  );
}

/** The embedded provider's records, for oidc-provider's adapter interface. */
function oidcPayloadsTable(d: Dialect) {
  return d.table(
    "oidc_payloads",
    {
      model: d.text("model").notNull(),
      /** The provider's id, or its SHA-256 where the id is a bearer secret. The adapter decides. */
      id: d.text("id").notNull(),
      payload: d.json<Record<string, unknown>>("payload").notNull(),
      grantId: d.text("grant_id"),
      userCode: d.text("user_code"),
      uid: d.text("uid"),
      consumedAt: d.integer("consumed_at"),
      expiresAt: d.integer("expires_at"),
    },
    (table) => [
      d.primaryKey({ columns: [table.model, table.id] }),
      d.index("oidc_payloads_grant").on(table.grantId),
      d.index("oidc_payloads_uid").on(table.model, table.uid),
      d.index("oidc_payloads_user_code").on(table.model, table.userCode),
      d.index("oidc_payloads_expiry").on(table.expiresAt),
    ],
  );
}

/** Values that work once, whatever the outcome. */
function challengesTable(d: Dialect) {
  return d.table(
    "challenges",
    { hash: d.text("hash").primaryKey(), expiresAt: d.integer("expires_at").notNull() },
    (table) => [d.index("challenges_expiry").on(table.expiresAt)],
  );
}

function loginsTable(d: Dialect, accounts: Accounts, users: Users) {
  return d.table(
    "logins",
    {
      id: d.text("id").primaryKey(),
      accountId: accountIdColumn(d, accounts),
      /** Raw Ed25519 public key, base64url. Each has one login. */
      loginKey: d.text("login_key").notNull().unique(),
      userId: d
        .text("user_id")
        .notNull()
        .references(() => users.id, { onDelete: "cascade" }),
      /** Null until a device is registered with it. */
      devicePeerId: d.text("device_peer_id"),
      binding: d.word("binding", BINDINGS).notNull(),
      /** SHA-256 of `header.payload` of a token without a nonce, which only this login may claim. */
      claimedTokenHash: d.text("claimed_token_hash").unique(),
      /** The provider's `auth_time`. Null: it sent none. */
      authTime: d.integer("auth_time"),
      issuedAt: d.integer("issued_at").notNull(),
      createdAt: d.integer("created_at").notNull(),
      /** Until when management issues certificates for it. */
      until: d.integer("until").notNull(),
      revokedAt: d.integer("revoked_at"),
      /** The token that a service user signed in with; the login ends with it. Null for people. */
      apiTokenId: d.text("api_token_id"),
    },
    (table) => [
      d.index("logins_user").on(table.userId),
      d.index("logins_revoked").on(table.accountId, table.revokedAt),
    ],
  );
}

/** Sign-ins under way on one of our pages, for a terminal elsewhere. */
function hostedLoginsTable(d: Dialect, accounts: Accounts) {
  return d.table(
    "hosted_logins",
    {
      id: d.text("id").primaryKey(),
      accountId: accountIdColumn(d, accounts),
      pollSecretHash: d.text("poll_secret_hash").notNull(),
      /** Null until approved. */
      codeHash: d.text("code_hash"),
      state: d.word("state", ["waiting", "approved", "denied", "claimed"]).notNull(),
      triesLeft: d.integer("tries_left").notNull(),
      sourceAddress: d.text("source_address").notNull(),
      loginKey: d.text("login_key").notNull(),
      /** What the page shows and what the flow needs to continue. Secrets in it are encrypted. */
      data: d.json<Record<string, unknown>>("data").notNull(),
      createdAt: d.integer("created_at").notNull(),
      expiresAt: d.integer("expires_at").notNull(),
    },
    (table) => [
      d.index("hosted_logins_expiry").on(table.expiresAt),
      d.index("hosted_logins_source").on(table.sourceAddress),
    ],
  );
}

function apiTokensTable(d: Dialect, accounts: Accounts, users: Users, logins: Logins) {
  return d.table(
    "api_tokens",
    {
      id: d.text("id").primaryKey(),
      accountId: accountIdColumn(d, accounts),
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
      /** The login that the token was made for and ends with. Null: a token that its user named. */
      loginId: d.text("login_id").references(() => logins.id, { onDelete: "cascade" }),
    },
    (table) => [d.index("api_tokens_user").on(table.userId)],
  );
}

/** Sign-ins to the dashboard. The secret is only in a cookie; this table has its digest. */
function webSessionsTable(d: Dialect, accounts: Accounts, users: Users) {
  return d.table(
    "web_sessions",
    {
      id: d.text("id").primaryKey(),
      accountId: accountIdColumn(d, accounts),
      userId: d
        .text("user_id")
        .notNull()
        .references(() => users.id, { onDelete: "cascade" }),
      hash: d.text("hash").notNull().unique(),
      sourceAddress: d.text("source_address").notNull(),
      /** The browser's name for itself. For display only. */
      browser: d.text("browser").notNull(),
      createdAt: d.integer("created_at").notNull(),
      lastSeenAt: d.integer("last_seen_at").notNull(),
      expiresAt: d.integer("expires_at").notNull(),
      /** When the person last signed in at the provider, as it says. Null: it did not say. */
      authTime: d.integer("auth_time"),
      /** Digest and facts of the last request refused for lack of a fresh sign-in. Null: none. */
      askedDigest: d.text("asked_digest"),
      askedFacts: d.json<readonly (readonly [name: string, value: string])[]>("asked_facts"),
      /** Digest of the one request that the person has confirmed. Null: none, or already used. */
      confirmedDigest: d.text("confirmed_digest"),
    },
    (table) => [
      d.index("web_sessions_user").on(table.userId),
      d.index("web_sessions_expiry").on(table.expiresAt),
    ],
  );
}
