/**
 * Peers, groups, setup keys and policies.
 *
 * @module
 */
import type { AgentFlags } from "../../../wire/agent-sync.ts";
import type { PeerFacts } from "../../../wire/client-api.ts";
import type { PolicyRuleWrite } from "../../../wire/policy.ts";
import type { GroupSettings, PolicyTest } from "../../../wire/policy-account.ts";
import type { PostureChecks } from "../../../wire/posture.ts";
import { type Accounts, type AccountTables, accountIdColumn, type Users } from "./accounts.ts";
import type { Dialect } from "./dialect.ts";

export const PEER_KINDS = ["machine", "device"] as const;
export const PEER_STATUSES = ["active", "blocked", "pending"] as const;
/** `all`: everything may have changed. */
export const MAP_CHANGE_KINDS = [
  "user",
  "peer",
  "rule",
  "policy",
  "login",
  "account",
  "all",
  "left",
] as const;
export const SETUP_KEY_TYPES = ["one-off", "reusable"] as const;

/** A machine's vouch for a device, made at one login. */
export interface Vouch {
  /** The local user who asked the machine's agent. */
  readonly uid: number;
  /** Unix seconds. */
  readonly at: number;
  readonly loginId: string;
  /** Whether the person has since had access to the machine by policy. If so, losing it ends the vouch. */
  readonly byAccess: boolean;
}

export function networkTables(d: Dialect, { accounts, users }: AccountTables) {
  const groups = groupsTable(d, accounts);
  const peers = peersTable(d, accounts, users);
  const reservedNames = reservedNamesTable(d, accounts);
  const groupPeers = groupPeersTable(d, groups, peers);
  const setupKeys = setupKeysTable(d, accounts);
  const mapChanges = mapChangesTable(d, accounts);
  const policies = policiesTable(d, accounts);
  const policyRules = policyRulesTable(d, accounts, policies);
  const postureChecks = postureChecksTable(d, accounts);
  const policyFiles = policyFilesTable(d, accounts);
  return {
    groups,
    peers,
    reservedNames,
    groupPeers,
    setupKeys,
    mapChanges,
    policies,
    policyRules,
    postureChecks,
    policyFiles,
  };
}

type Groups = ReturnType<typeof groupsTable>;
type Peers = ReturnType<typeof peersTable>;
type Policies = ReturnType<typeof policiesTable>;

function groupsTable(d: Dialect, accounts: Accounts) {
  return d.table(
    "groups",
    {
      id: d.text("id").primaryKey(),
      accountId: accountIdColumn(d, accounts),
      name: d.text("name").notNull(),
      /** The group `All`, whose members are computed, never stored. */
      isAll: d.boolean("is_all").notNull(),
      createdAt: d.integer("created_at").notNull(),
      /** Null: every setting has its default. */
      settings: d.json<GroupSettings>("settings"),
    },
    (table) => [d.uniqueIndex("groups_name").on(table.accountId, table.name)],
  );
}

function peersTable(d: Dialect, accounts: Accounts, users: Users) {
  return d.table(
    "peers",
    {
      id: d.text("id").primaryKey(),
      accountId: accountIdColumn(d, accounts),
      kind: d.word("kind", PEER_KINDS).notNull(),
      /** The host name, a single label. */
      name: d.text("name").notNull(),
      /** Labels below the account's domain; a machine's is its name. Unique among existing peers. */
      dnsName: d.text("dns_name").notNull(),
      deviceKey: d.text("device_key").notNull().unique(),
      hostKeys: d.json<string[]>("host_keys").notNull(),
      address: d.text("address").notNull(),
      /** Null: no owner. */
      ownerUserId: d.text("owner_user_id").references(() => users.id, { onDelete: "cascade" }),
      status: d.word("status", PEER_STATUSES).notNull(),
      /** Whether it counts as a member of its owner's groups, as `device_approval` decides. */
      ownerApproved: d.boolean("owner_approved").notNull(),
      sshEnabled: d.boolean("ssh_enabled").notNull(),
      ephemeral: d.boolean("ephemeral").notNull(),
      facts: d.json<PeerFacts>("facts").notNull(),
      /** Null: not reported yet. */
      flags: d.json<AgentFlags>("flags"),
      direct: d.json<string[]>("direct").notNull(),
      connectionIp: d.text("connection_ip").notNull(),
      /** The machine that vouches for this device, through its control socket. */
      vouchedByPeerId: d.text("vouched_by_peer_id"),
      loginExpirationEnabled: d.boolean("login_expiration_enabled").notNull(),
      inactivityExpirationEnabled: d.boolean("inactivity_expiration_enabled").notNull(),
      /** Account version at which its map's content last changed, and the digest of that content. */
      mapVersion: d.integer("map_version").notNull(),
      mapDigest: d.text("map_digest").notNull(),
      /** First audit number of this agent that is not stored yet. */
      nextAuditSeq: d.integer("next_audit_seq").notNull(),
      createdAt: d.integer("created_at").notNull(),
      lastSeenAt: d.integer("last_seen_at").notNull(),
      lastLoginAt: d.integer("last_login_at").notNull(),
      /** Whether an admin gave or confirmed the name. Only then does it work without the domain. */
      nameConfirmed: d.boolean("name_confirmed").notNull(),
      /** Shown instead of `name`, in the API only. Null: the host name. */
      displayName: d.text("display_name"),
      /** The details of the vouch. Null: none, or a vouch from before this column. */
      vouch: d.json<Vouch>("vouch"),
    },
    (table) => [
      d.uniqueIndex("peers_dns_name").on(table.accountId, table.dnsName),
      d.uniqueIndex("peers_address").on(table.accountId, table.address),
      d.index("peers_owner").on(table.ownerUserId),
    ],
  );
}

/** Names that peers once had. None is given out again until an admin releases it. */
function reservedNamesTable(d: Dialect, accounts: Accounts) {
  return d.table(
    "reserved_names",
    {
      accountId: accountIdColumn(d, accounts),
      dnsName: d.text("dns_name").notNull(),
      /** The last peer that had it, which may be deleted. */
      peerId: d.text("peer_id").notNull(),
      freedAt: d.integer("freed_at").notNull(),
    },
    (table) => [d.primaryKey({ columns: [table.accountId, table.dnsName] })],
  );
}

function groupPeersTable(d: Dialect, groups: Groups, peers: Peers) {
  return d.table(
    "group_peers",
    {
      groupId: d
        .text("group_id")
        .notNull()
        .references(() => groups.id, { onDelete: "cascade" }),
      peerId: d
        .text("peer_id")
        .notNull()
        .references(() => peers.id, { onDelete: "cascade" }),
    },
    (table) => [
      d.primaryKey({ columns: [table.groupId, table.peerId] }),
      d.index("group_peers_peer").on(table.peerId),
    ],
  );
}

function setupKeysTable(d: Dialect, accounts: Accounts) {
  return d.table(
    "setup_keys",
    {
      id: d.text("id").primaryKey(),
      accountId: accountIdColumn(d, accounts),
      name: d.text("name").notNull(),
      /** SHA-256 of the key. */
      hash: d.text("hash").notNull().unique(),
      /** The form shown after its creation. */
      masked: d.text("masked").notNull(),
      type: d.word("type", SETUP_KEY_TYPES).notNull(),
      /** 0: no limit. */
      usageLimit: d.integer("usage_limit").notNull(),
      usedTimes: d.integer("used_times").notNull(),
      autoGroups: d.json<string[]>("auto_groups").notNull(),
      ephemeral: d.boolean("ephemeral").notNull(),
      allowExtraDnsLabels: d.boolean("allow_extra_dns_labels").notNull(),
      revoked: d.boolean("revoked").notNull(),
      createdAt: d.integer("created_at").notNull(),
      updatedAt: d.integer("updated_at").notNull(),
      /** 0: never. */
      expiresAt: d.integer("expires_at").notNull(),
      lastUsedAt: d.integer("last_used_at"),
    },
    (table) => [d.index("setup_keys_account").on(table.accountId)],
  );
}

/**
 * What each account version changed of the rows that maps are made from. Triggers (see the migrations) write
 * it in the transaction of the change, under the version that the transaction commits or, if it raises none,
 * the next one.
 */
function mapChangesTable(d: Dialect, accounts: Accounts) {
  return d.table(
    "map_changes",
    {
      accountId: accountIdColumn(d, accounts),
      version: d.integer("version").notNull(),
      kind: d.word("kind", MAP_CHANGE_KINDS).notNull(),
      /**
       * The entity's id; a login's is its login key. Empty: everything. Of `left`: a group with a `require`
       * and the peer that left it, with a space between.
       */
      entityId: d.text("entity_id").notNull(),
    },
    (table) => [d.primaryKey({ columns: [table.accountId, table.version, table.kind, table.entityId] })],
  );
}

function policiesTable(d: Dialect, accounts: Accounts) {
  return d.table(
    "policies",
    {
      id: d.text("id").primaryKey(),
      accountId: accountIdColumn(d, accounts),
      name: d.text("name").notNull(),
      /** Null: none was written. */
      description: d.text("description"),
      enabled: d.boolean("enabled").notNull(),
      sourcePostureChecks: d.json<string[]>("source_posture_checks").notNull(),
      createdAt: d.integer("created_at").notNull(),
      updatedAt: d.integer("updated_at").notNull(),
    },
    (table) => [d.index("policies_account").on(table.accountId)],
  );
}

function policyRulesTable(d: Dialect, accounts: Accounts, policies: Policies) {
  return d.table(
    "policy_rules",
    {
      id: d.text("id").primaryKey(),
      accountId: accountIdColumn(d, accounts),
      policyId: d
        .text("policy_id")
        .notNull()
        .references(() => policies.id, { onDelete: "cascade" }),
      /** The order in which rules were written. For display only; it decides nothing. */
      position: d.integer("position").notNull(),
      body: d.json<Omit<PolicyRuleWrite, "id">>("body").notNull(),
    },
    (table) => [
      d.index("policy_rules_policy").on(table.policyId),
      d.index("policy_rules_account").on(table.accountId),
    ],
  );
}

function postureChecksTable(d: Dialect, accounts: Accounts) {
  return d.table(
    "posture_checks",
    {
      id: d.text("id").primaryKey(),
      accountId: accountIdColumn(d, accounts),
      name: d.text("name").notNull(),
      description: d.text("description").notNull(),
      checks: d.json<PostureChecks>("checks").notNull(),
      createdAt: d.integer("created_at").notNull(),
      updatedAt: d.integer("updated_at").notNull(),
    },
    (table) => [d.index("posture_checks_account").on(table.accountId)],
  );
}

/** The parts of a policy file that no other table holds: the account's tests and the file's text. */
function policyFilesTable(d: Dialect, accounts: Accounts) {
  return d.table("policy_files", {
    accountId: d
      .text("account_id")
      .primaryKey()
      .references(() => accounts.id, { onDelete: "cascade" }),
    tests: d.json<PolicyTest[]>("tests").notNull(),
    /** The text last applied, with its comments. Null: none. */
    text: d.text("text"),
    updatedAt: d.integer("updated_at").notNull(),
    /** Since when the policies may differ from those of the account's source. Null: they do not. */
    differsSince: d.integer("differs_since"),
  });
}
