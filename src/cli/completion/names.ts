/**
 * Names of peers, groups, users and the like for completions, as this person's login or token shows them.
 *
 * A completion never asks for a sign-in, creates nothing, and gives up on a slow server, since it blocks the
 * shell.
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

/** Longest wait for a server's names. */
const WAIT_MS_MAX = 2_000;
/** Most names offered. A longer list is of no use in a shell. */
const NAMES_MAX = 1_000;

/** Fetches names. May fail. */
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

/** Names that the login or token in `process.env` may see. */
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

/** Machines that this person had certificates for. Needs no server. */
async function remembered(): Promise<readonly string[]> {
  if (!existsSync(clientFolderPath(process.env))) return [];
  return knownNames((await openClientFolder(process.env)).path);
}

/** Sorted, without duplicates and names that a terminal cannot show unchanged. */
function tidied(names: readonly string[]): string[] {
  const shown = names.filter((name) => name !== "" && printable(name) === name);
  return [...new Set(shown)].sort().slice(0, NAMES_MAX);
}
