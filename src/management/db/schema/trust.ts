/**
 * Signing keys, logins and what a sign-in leaves behind while it is under way.
 *
 * @module
 */

import type { TokenScope } from "../../../wire/admin-api.ts";
import type { Binding } from "../../../wire/certificate.ts";
import type { PublicJwk } from "../../../wire/network-map.ts";
import { type Accounts, type AccountTables, accountIdColumn, type Users } from "./accounts.ts";
import type { Dialect } from "./dialect.ts";

export const KEY_PURPOSES = ["ca", "token", "oidc", "cookie", "tunnel", "log"] as const;
/** `next`: made, not signing yet. `active`: signs. `retiring`: verifies only. `retired`: neither. */
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
      /** Null: of the server itself (`oidc`, `cookie`, `tunnel`). */
      accountId: d.text("account_id").references(() => accounts.id, { onDelete: "cascade" }),
      purpose: d.word("purpose", KEY_PURPOSES).notNull(),
      /** Key material under the master key; never in the clear. */
      encrypted: d.text("encrypted").notNull(),
      /** Public half in the form its purpose uses; empty for symmetric keys. */
      publicKey: d.text("public_key").notNull(),
      state: d.word("state", KEY_STATES).notNull(),
      createdAt: d.integer("created_at").notNull(),
      /** When it stopped signing. Null: it has not. */
      retiredAt: d.integer("retired_at"),
    },
    (table) => [d.index("signing_keys_account").on(table.accountId, table.purpose)],
  );
}

/** A provider's public keys as fetched; old ones stay until no cached login can need them. */
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

/** The embedded provider's records, as oidc-provider's adapter interface wants them. */
function oidcPayloadsTable(d: Dialect) {
  return d.table(
    "oidc_payloads",
    {
      model: d.text("model").notNull(),
      /** SHA-256 of the provider's id where that id is itself a bearer secret; its adapter decides. */
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

/** Values used once, whatever the outcome. */
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
      /** Raw Ed25519 public key, base64url. One login each. */
      loginKey: d.text("login_key").notNull().unique(),
      userId: d
        .text("user_id")
        .notNull()
        .references(() => users.id, { onDelete: "cascade" }),
      /** Null until a device is registered with it. */
      devicePeerId: d.text("device_peer_id"),
      binding: d.word("binding", BINDINGS).notNull(),
      /** SHA-256 of `header.payload` of a token without a nonce: claimed once, for this login only. */
      claimedTokenHash: d.text("claimed_token_hash").unique(),
      /** What the provider said of the moment of proof; null where it did not. */
      authTime: d.integer("auth_time"),
      issuedAt: d.integer("issued_at").notNull(),
      createdAt: d.integer("created_at").notNull(),
      /** Until when management takes it for certificates. */
      until: d.integer("until").notNull(),
      revokedAt: d.integer("revoked_at"),
      /** Of a service user: the token that signed in, with which the login ends. Null for people. */
      apiTokenId: d.text("api_token_id"),
    },
    (table) => [
      d.index("logins_user").on(table.userId),
      d.index("logins_revoked").on(table.accountId, table.revokedAt),
    ],
  );
}

/** Sign-ins under way on a page of ours, for a terminal elsewhere. */
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
      /** What the page shows and what the flow needs to go on; secrets in it are encrypted. */
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
      /** The login that made it, and ends it. Null: a token made by name. */
      loginId: d.text("login_id").references(() => logins.id, { onDelete: "cascade" }),
    },
    (table) => [d.index("api_tokens_user").on(table.userId)],
  );
}

/** Sign-ins to the dashboard. The secret is in a cookie only; here is its digest. */
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
      /** As the browser names itself. Shown only. */
      browser: d.text("browser").notNull(),
      createdAt: d.integer("created_at").notNull(),
      lastSeenAt: d.integer("last_seen_at").notNull(),
      expiresAt: d.integer("expires_at").notNull(),
      /** When the provider saw the person last, as it says. Null: it did not say. */
      authTime: d.integer("auth_time"),
      /** Digest and facts of the request that was refused last for want of a fresh sign-in. Null: none. */
      askedDigest: d.text("asked_digest"),
      askedFacts: d.json<readonly (readonly [name: string, value: string])[]>("asked_facts"),
      /** Digest of the one request that its person has confirmed. Null: none, or it was made. */
      confirmedDigest: d.text("confirmed_digest"),
    },
    (table) => [
      d.index("web_sessions_user").on(table.userId),
      d.index("web_sessions_expiry").on(table.expiresAt),
    ],
  );
}
