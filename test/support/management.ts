/**
 * Management for tests: a real store in a temporary folder, builders for what is in it, and keys that
 * need no cryptography.
 */
import { afterEach } from "bun:test";
import { silentLog } from "../../src/base/log.ts";
import { newId, newSecret } from "../../src/base/random.ts";
import type { KeyRing, ManagementContext, OidcSettings } from "../../src/management/contracts/context.ts";
import type { NewRow } from "../../src/management/db/schema/schema.ts";
import type { Store } from "../../src/management/db/store.ts";
import { hashToken, insertToken } from "../../src/management/db/tables/api-tokens.ts";
import { insertPeer, type NewPeer } from "../../src/management/db/tables/new-peer.ts";
import type { PeerRow } from "../../src/management/db/tables/peers.ts";
import {
  EMBEDDED_ISSUER,
  insertUser,
  SERVICE_ISSUER,
  type UserRow,
} from "../../src/management/db/tables/users.ts";
import { addAccount } from "../../src/management/init.ts";
import { createAccountLogs } from "../../src/management/log/account-logs.ts";
import { createMaps } from "../../src/management/maps/maps.ts";
import type { InitResult } from "../../src/wire/admin-api.ts";
import { openAnyTestStore } from "./any-store.ts";
import { FakeClock } from "./fake-clock.ts";
import { aNewPeer } from "./peer-row.ts";
import { tempFolder } from "./temp-folder.ts";

export const ORIGIN = "http://127.0.0.1:8080";
const MASTER_KEY = new Uint8Array(32).fill(7);
const opened: Store[] = [];

afterEach(async () => {
  for (const store of opened.splice(0)) await store.close();
});

/** Keys that say who they are and sign nothing. */
export const fakeKeys: KeyRing = {
  cas: async () => [{ id: "ca000000000000000000", publicKey: "AAAA" }],
  signingCa: () => Promise.reject(new Error("not here")),
  tokenKeys: async () => [],
  signingTokenKey: () => Promise.reject(new Error("not here")),
  issuers: async () => [],
};

const embeddedOidc: OidcSettings = {
  embedded: true,
  issuer: `${ORIGIN}/idp`,
  clientId: "qf",
  webClientId: "qf",
  clientSecret: null,
  clientAuth: null,
  audience: null,
  scope: "openid",
  userIdClaim: "sub",
  groupsClaim: null,
  loopback: true,
  redirectPort: 0,
  loopbackHost: "127.0.0.1",
  fetch,
};

export interface TestManagement extends ManagementContext {
  readonly clock: FakeClock;
  readonly dataDir: string;
}

/** Closed after the test. */
export function aManagement(change: Partial<ManagementContext> = {}): TestManagement {
  const dataDir = tempFolder();
  const clock = new FakeClock();
  const store = openAnyTestStore(dataDir, clock);
  opened.push(store);
  return {
    clock,
    dataDir,
    log: silentLog,
    store,
    keys: fakeKeys,
    maps: createMaps({ store, keys: change.keys ?? fakeKeys, origin: ORIGIN }),
    logs: createAccountLogs({ store, clock, log: silentLog, origin: ORIGIN, masterKey: MASTER_KEY }),
    oidc: embeddedOidc,
    origin: ORIGIN,
    ...change,
  } as TestManagement;
}

/** An account as init makes it; its owner's password is not usable. */
export function anAccount(store: Store, email = "owner@example.com"): Promise<InitResult> {
  return store.transaction((tx) => addAccount(tx, MASTER_KEY, { email, passwordHash: "unusable" }));
}

/** A person (or a service user) of the account. */
export async function aUserOf(
  store: Store,
  accountId: string,
  change: Partial<UserRow> = {},
): Promise<UserRow> {
  const id = newId();
  const isServiceUser = change.isServiceUser ?? false;
  const user: UserRow = {
    id,
    accountId,
    issuer: isServiceUser ? SERVICE_ISSUER : EMBEDDED_ISSUER,
    subject: id,
    email: `${id}@example.com`,
    name: `user ${id}`,
    role: "user",
    autoGroups: [],
    isServiceUser,
    autoGroupsUntil: null,
    isBlocked: false,
    pendingApproval: false,
    createdAt: 1_795_000_000,
    lastLoginAt: null,
    ...change,
  };
  await store.transaction((tx) => insertUser(tx, user));
  return user;
}

/** An API token of `user`, good for a day of 2026. */
export async function aTokenOf(
  store: Store,
  user: { id: string; accountId: string },
  change: Partial<NewRow<"apiTokens">> = {},
): Promise<string> {
  const token = newSecret("qfp_");
  await store.transaction((tx) =>
    insertToken(tx, {
      id: newId(),
      accountId: user.accountId,
      userId: user.id,
      name: "test",
      scope: "dangerous",
      hash: hashToken(token),
      createdBy: user.id,
      createdAt: Math.floor(tx.clock.nowMs() / 1000),
      expiresAt: Math.floor(tx.clock.nowMs() / 1000) + 86_400,
      lastUsedAt: null,
      ...change,
    }),
  );
  return token;
}

export function aPeerOf(store: Store, accountId: string, change: Partial<NewPeer> = {}): Promise<PeerRow> {
  return store.transaction((tx) => insertPeer(tx, aNewPeer(accountId, change)));
}
