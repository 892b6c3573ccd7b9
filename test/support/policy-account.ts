/**
 * An account as policy sees it, for tests: ada and bob, their laptops, two web servers and a database.
 */
import { type Resolution, resolveFile } from "../../src/policy/code/resolve.ts";
import type { AccountPeerEntry, PolicyAccount } from "../../src/wire/policy-account.ts";
import { POLICY_ACCOUNT_FORMAT } from "../../src/wire/policy-account.ts";
import { parsePolicyText } from "../../src/wire/policy-text.ts";
import { aMap, anId, aPeer, aUser } from "./policy.ts";

/** A file with something of everything. */
export const WHOLE_FILE = `
policies:
  - name: deploy
    rules:
      - sources: [managed-laptops]
        destinations: [web]
        authorized_groups: {developers: [deploy]}
        ssh: {record: best_effort, local_forward: ["db.internal:5432"]}
  - name: everything else
    description: a bit of each
    enabled: false
    source_posture_checks: [recent]
    rules:
      - name: databases
        description: of ops
        enabled: false
        sources: [ops]
        source_devices: [managed-laptops]
        destination_peer: db1
        authorized_groups: {ops: ["*"], developers: [read, root]}
        valid_from: 2026-01-01T00:00:00Z
        valid_until: 2027-01-01T00:00:00Z
        schedule: {windows: [{days: [mon], from: "09:00", to: "17:00"}]}
      - {action: drop, protocol: tcp, ports: [22, "80"], source_peer: bob-laptop, destinations: [All]}
      - protocol: tcp
        port_ranges: [{start: 1, end: 9}]
        bidirectional: true
        sources: [web]
        destinations: [db]
        machine_local_users: [a]
groups: {web: {requestable: true, approver_groups: [ops], request_seconds_max: 3600}}
tests:
  - {user: ada@example.com, machine: web1, local_user: deploy, expect: allow}
  - name: no root
    user: ada@example.com
    device: ada-laptop
    machine: web1
    local_user: root
    expect: deny
    reason: local_user_unmapped
  - user: https://idp.example.com|bob
    machine: web1.qf.internal
    local_user: x
    action: {forward: "10.0.0.1:22"}
    expect: deny
  - {user: bot, machine: web1, local_user: x, action: {exec: /bin/true}, expect: deny}
`;

function aPeerEntry(
  word: string,
  groups: readonly string[],
  change: Partial<AccountPeerEntry>,
): AccountPeerEntry {
  return { ...aPeer(word, groups), sshEnabled: false, dnsName: word, shownName: word, ...change };
}

export function aMachineEntry(word: string, groups: readonly string[]): AccountPeerEntry {
  return aPeerEntry(word, groups, { kind: "machine", sshEnabled: true });
}

export function aPolicyAccount(change: Partial<PolicyAccount> = {}): PolicyAccount {
  const group = (name: string) => ({ id: anId(name), name, isAll: name === "All", settings: {} });
  return {
    format: POLICY_ACCOUNT_FORMAT,
    accountId: anId("account"),
    version: 7,
    settings: aMap({}).settings,
    groups: ["All", "developers", "ops", "managed-laptops", "web", "db"].map(group),
    users: [
      aUser("ada", ["All", "developers"]),
      aUser("bob", ["All", "ops"]),
      aUser("bot", ["developers"], { isService: true, email: "", issuer: "https://qf.example.com" }),
    ],
    peers: [
      aPeerEntry("ada-laptop", ["All", "managed-laptops"], { ownerUserId: anId("ada") }),
      aPeerEntry("bob-laptop", ["All"], { ownerUserId: anId("bob") }),
      aMachineEntry("web1", ["All", "web"]),
      aMachineEntry("web2", ["All", "web"]),
      aMachineEntry("db1", ["All", "db"]),
    ],
    postureChecks: [{ id: anId("recent"), name: "recent" }],
    policies: [],
    tests: [],
    ...change,
  };
}

/** `text` put into `account`. */
export function resolveText(text: string, account: PolicyAccount = aPolicyAccount()): Resolution {
  return resolveFile(parsePolicyText(text), account);
}

/** The account with `text`, its new things under ids as management would give them. */
export function withFile(text: string, account: PolicyAccount = aPolicyAccount()): PolicyAccount {
  const resolution = resolveText(text, account);
  if (resolution.kind === "refused")
    throw new Error(resolution.faults.map(({ message }) => message).join("; "));
  const named = JSON.stringify(resolution.account).replace(/"new:([^"]*)"/g, (_, word: string) =>
    JSON.stringify(anId(word)),
  );
  return JSON.parse(named) as PolicyAccount;
}
