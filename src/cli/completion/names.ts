/**
 * Names for completions: of peers, groups, users and the like, as this person's login or token shows them.
 *
 * Nobody is asked to sign in, nothing is created, and a server that does not answer soon is let be: a key
 * that is pressed in a shell must come back.
 *
 * @module
 */
import { existsSync } from "node:fs";
import { printable } from "../../base/printable.ts";
import { clientFolderPath, openClientFolder } from "../../client/client-folder.ts";
import { knownNames } from "../../client/known-targets.ts";
import { environmentToken } from "../../client/login.ts";
import { Group, User } from "../../wire/admin-api.ts";
import { Peer } from "../../wire/admin-peers.ts";
import { MyAccess } from "../../wire/my-access.ts";
import { Policy } from "../../wire/policy.ts";
import { PostureCheck } from "../../wire/posture.ts";
import { type Admin, hostNameOf, openAdmin } from "../admin.ts";
import type { NameKind, NamesOf } from "./values.ts";

/** Longest that a person waits for the names of a server. */
const WAIT_MS_MAX = 2_000;
/** Most names shown; a shell lists no more in a useful way. */
const NAMES_MAX = 1_000;

/** Where names come from; each may fail. */
type Source = (admin: Admin) => Promise<readonly string[]>;

const SOURCES: Readonly<Record<NameKind, Source>> = {
  machine: async (admin) =>
    (await myMachines(admin)).map(({ dns_label }) => dns_label.split(".", 1)[0] ?? ""),
  "local-user": async (admin) =>
    (await myMachines(admin)).flatMap(({ local_users }) => local_users.filter((user) => user !== "*")),
  peer: async (admin) => {
    const { value } = await admin.request("GET", "/api/peers", { answer: Peer.array() });
    return value.map(hostNameOf);
  },
  group: async (admin) => {
    const { value } = await admin.request("GET", "/api/groups", { answer: Group.array() });
    return value.map(({ name }) => name);
  },
  user: async (admin) => {
    const { value } = await admin.request("GET", "/api/users", { answer: User.array() });
    return value.map(({ email, name }) => email || name);
  },
  policy: async (admin) => {
    const { value } = await admin.request("GET", "/api/policies", { answer: Policy.array() });
    return value.map(({ name }) => name);
  },
  check: async (admin) => {
    const { value } = await admin.request("GET", "/api/posture-checks", { answer: PostureCheck.array() });
    return value.map(({ name }) => name);
  },
};

async function myMachines(admin: Admin): Promise<MyAccess["machines"]> {
  const { value } = await admin.request("GET", "/api/my/access", { answer: MyAccess });
  return value.machines.filter(({ reason }) => reason === null);
}

/** The names as the login or token of `process.env` shows them. */
export const liveNames: NamesOf = async (kind) => {
  const late = Bun.sleep(WAIT_MS_MAX).then(() => undefined);
  const names = await Promise.race([ask(kind).catch(() => undefined), late]);
  const found = names ?? (kind === "machine" ? await remembered().catch(() => []) : []);
  return tidied(found);
};

async function ask(kind: NameKind): Promise<readonly string[] | undefined> {
  const hasToken = (await environmentToken(process.env)) !== undefined;
  if (!hasToken && !existsSync(clientFolderPath(process.env))) return undefined;
  return SOURCES[kind](await openAdmin({}, { interactive: false }));
}

/** Machines that there was a certificate for, which works without a server. */
async function remembered(): Promise<readonly string[]> {
  if (!existsSync(clientFolderPath(process.env))) return [];
  return knownNames((await openClientFolder(process.env)).path);
}

/** Sorted, each once, and only those that a terminal can show as they are. */
function tidied(names: readonly string[]): string[] {
  const shown = names.filter((name) => name !== "" && printable(name) === name);
  return [...new Set(shown)].sort().slice(0, NAMES_MAX);
}
