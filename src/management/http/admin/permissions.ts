/**
 * The permissions of a role in NetBird's terms: its dashboard shows a page for each module that may be read.
 *
 * Derived from `access.ts`, which enforces them; this only reports.
 *
 * @module
 */
import type { Role, UserPermissions } from "../../../wire/admin-api.ts";
import { mayCall } from "./access.ts";

/** Modules that the API has. */
const MODULES = ["groups", "peers", "policies", "settings", "setup_keys", "users"] as const;
/** NetBird modules that do not exist here, so no one may do anything with them. */
const ABSENT_MODULES = [
  "agent_network",
  "agent_network.budgets",
  "agent_network.guardrails",
  "agent_network.logs",
  "agent_network.policies",
  "agent_network.providers",
  "agent_network.settings",
  "agent_network.usage",
  "dns",
  "identity_providers",
  "nameservers",
  "networks",
  "remote_jobs",
  "routes",
  "services",
] as const;

export function permissionsOf(role: Role): UserPermissions {
  const read = mayCall(role, "read");
  const write = mayCall(role, "write");
  const all = { create: write, delete: write, read, update: write };
  const none = { create: false, delete: false, read: false, update: false };
  return {
    is_restricted: !read,
    modules: {
      ...Object.fromEntries(MODULES.map((name) => [name, all])),
      accounts: { ...none, read, update: write, delete: mayCall(role, "owner") },
      events: { ...none, read },
      // Everyone may manage their own tokens; a token is never changed.
      pats: { create: true, delete: true, read: true, update: false },
      ...Object.fromEntries(ABSENT_MODULES.map((name) => [name, none])),
    },
  };
}
