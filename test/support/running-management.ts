/**
 * Management in this process, on a free port, with an owner, a machine, and a policy for one group.
 */
import { nowSeconds } from "../../src/base/clock.ts";
import { newId, newSecret } from "../../src/base/random.ts";
import { defaultSettings } from "../../src/management/contracts/settings.ts";
import { updateAccount } from "../../src/management/db/tables/accounts.ts";
import { listEvents } from "../../src/management/db/tables/audit-events.ts";
import { insertGroup } from "../../src/management/db/tables/groups.ts";
import { putPolicy } from "../../src/management/db/tables/policies.ts";
import { hashSetupKey, insertSetupKey } from "../../src/management/db/tables/setup-keys.ts";
import { insertIdpAccount } from "../../src/management/db/tables/sign-in.ts";
import { EMBEDDED_ISSUER, insertUser, type UserRow } from "../../src/management/db/tables/users.ts";
import { hashPassword } from "../../src/management/idp/passwords.ts";
import { initManagement } from "../../src/management/init.ts";
import { type RunningManagement, startManagement } from "../../src/management/serve.ts";
import type { ServeOptions } from "../../src/management/serve-options.ts";
import type { AccountSettings } from "../../src/wire/account-settings.ts";
import type { AuditEvent } from "../../src/wire/audit-event.ts";
import type { PolicyRuleWrite } from "../../src/wire/policy.ts";
import { anyTestDatabase } from "./any-store.ts";

export const OWNER = { email: "owner@example.com", password: "owner password" };
export const ADA = { email: "ada@example.com", password: "correct horse" };
const initiator = { id: "test", name: "test", email: "" };

export interface TestManagement extends RunningManagement {
  readonly accountId: string;
  readonly ownerId: string;
  readonly token: string;
  addPerson(who: typeof ADA, groups?: readonly string[]): Promise<UserRow>;
  addGroup(name: string): Promise<string>;
  addSetupKey(change?: { usageLimit?: number; autoGroups?: string[] }): Promise<string>;
  addPolicy(rule: Partial<PolicyRuleWrite>): Promise<string>;
  changeSettings(change: Partial<AccountSettings>): Promise<void>;
  /** Oldest first. */
  events(): Promise<Pick<AuditEvent, "activity_code" | "target_id" | "meta">[]>;
}

/** Initialises `dataDir` and serves it. */
export async function startTestManagement(
  dataDir: string,
  options: Partial<ServeOptions> = {},
): Promise<TestManagement> {
  const { databaseUrl } = options;
  const database = databaseUrl === undefined ? await anyTestDatabase() : { databaseUrl };
  const owner = { ownerEmail: OWNER.email, ownerPassword: OWNER.password };
  const made = await initManagement({ dataDir, ...database, ...owner });
  const running = await startManagement({ dataDir, listen: "127.0.0.1:0", ...database, ...options });
  const { store, clock } = running.context;
  const { accountId } = made;
  const change = <T>(fn: Parameters<typeof store.change<T>>[1]): Promise<T> =>
    store.change<T>({ accountId, initiator, affectsMaps: true }, fn);
  const createdAt = nowSeconds(clock);
  return {
    ...running,
    ...made,
    async addPerson(who, groups = []) {
      const passwordHash = await hashPassword(who.password);
      const user: UserRow = {
        id: newId(),
        accountId,
        issuer: EMBEDDED_ISSUER,
        subject: newId(),
        email: who.email,
        name: who.email.split("@")[0] ?? "",
        role: "user",
        autoGroups: [...groups],
        isServiceUser: false,
        autoGroupsUntil: null,
        isBlocked: false,
        pendingApproval: false,
        createdAt,
        lastLoginAt: null,
      };
      await change(async (tx) => {
        await insertUser(tx, user);
        await insertIdpAccount(tx, {
          id: user.subject,
          accountId,
          userId: user.id,
          email: who.email,
          passwordHash,
          passwordChangedAt: createdAt,
          failedAttempts: 0,
          lockedUntil: null,
          createdAt,
        });
      });
      return user;
    },
    async addGroup(name) {
      const id = newId();
      await change((tx) => insertGroup(tx, { id, accountId, name, isAll: false, createdAt }));
      return id;
    },
    async addSetupKey({ usageLimit = 0, autoGroups = [] } = {}) {
      const key = newSecret("qfs_");
      await change((tx) =>
        insertSetupKey(tx, {
          id: newId(),
          accountId,
          name: "test",
          hash: hashSetupKey(key),
          masked: "qfs_****",
          type: usageLimit === 1 ? "one-off" : "reusable",
          usageLimit,
          usedTimes: 0,
          autoGroups,
          ephemeral: false,
          allowExtraDnsLabels: false,
          revoked: false,
          createdAt,
          updatedAt: createdAt,
          expiresAt: createdAt + 3600,
          lastUsedAt: null,
        }),
      );
      return key;
    },
    async addPolicy(rule) {
      const policyId = newId();
      const body = {
        name: "rule",
        enabled: true,
        action: "accept" as const,
        bidirectional: false,
        protocol: "qufabric-ssh" as const,
        ...rule,
      };
      const policy = {
        id: policyId,
        accountId,
        name: "policy",
        description: "",
        enabled: true,
        sourcePostureChecks: [],
        createdAt,
        updatedAt: createdAt,
      };
      await change((tx) => putPolicy(tx, policy, [{ id: newId(), accountId, policyId, position: 0, body }]));
      return policyId;
    },
    async changeSettings(settings) {
      await change((tx) => updateAccount(tx, accountId, { settings: { ...defaultSettings(), ...settings } }));
    },
    async events() {
      const rows = await store.read((tx) => listEvents(tx, accountId, { limit: 500, afterSeq: 0 }));
      return rows.map((row) => ({ activity_code: row.activity, target_id: row.targetId, meta: row.meta }));
    },
  };
}
