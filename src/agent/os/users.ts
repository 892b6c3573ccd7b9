/**
 * OS accounts as facts: the account of a name, and whether it may be signed in to.
 *
 * Accounts are looked up for every decision, but a file that has not changed is not read again. No password
 * is ever compared. A name outside the strict charset has no account. `/etc/passwd` is read directly if
 * nsswitch.conf names files first. For the rest (LDAP, SSSD, systemd) getent(1) runs with a fixed argv as a
 * separate process, so that a slow directory cannot block the agent.
 *
 * @module
 */
import { accessSync, constants, statSync } from "node:fs";
import { access, stat } from "node:fs/promises";
import type { LocalAccountFacts } from "../../policy/decide/local-account.ts";
import { LocalUser } from "../../wire/units.ts";
import { readLocalText, readUnchangedText } from "./local-text.ts";

export interface LocalAccount {
  readonly name: string;
  readonly uid: number;
  /** Primary group. */
  readonly gid: number;
  /** Absolute. `/` if the account has none. */
  readonly home: string;
  /** Absolute. `/bin/sh` if the account names none. */
  readonly shell: string;
  readonly facts: LocalAccountFacts;
}

/** Where the databases are. Tests use others. Null for `getent`: files only. */
export interface AccountSources {
  readonly etc: string;
  readonly getent: string | null;
}

const SYSTEM: AccountSources = { etc: "/etc", getent: findGetent() };
/** Longest wait for a directory service. After it the account counts as unknown. */
const GETENT_TIMEOUT_MS = 3_000;
const GETENT_BYTES_MAX = 65_536;
const ID_MAX = 0xffff_fffe;
const SECONDS_PER_DAY = 86_400;
const SYSTEM_SHELL = /^(?:\/usr)?\/s?bin\/[^/]+$/;
const NOLOGIN_SHELLS = new Set(["nologin", "false"]);

/** The account with exactly this name. Null: there is none. */
export async function lookUpAccount(
  name: string,
  nowSeconds: number,
  sources: AccountSources = SYSTEM,
): Promise<LocalAccount | null> {
  if (!LocalUser.safeParse(name).success) return null;
  const entry = await lookUpEntry("passwd", name, sources);
  const parsed = entry === null ? null : parsePasswd(entry);
  if (parsed === null) return null;
  const shellMissing = isMissing(parsed.shell);
  const shadow = await lookUpEntry("shadow", name, sources);
  const facts: LocalAccountFacts = {
    exists: true,
    uid: parsed.uid,
    locked: isLocked(shadow?.[1] ?? parsed.password),
    expired: isExpired(shadow?.[7] ?? "", nowSeconds),
    nologin: NOLOGIN_SHELLS.has(parsed.shell.slice(parsed.shell.lastIndexOf("/") + 1)),
    shellMissing: await shellMissing,
  };
  const { uid, gid, home, shell } = parsed;
  return { name, uid, gid, home, shell, facts };
}

/** Facts for a name without an account. */
export const NO_ACCOUNT: LocalAccountFacts = {
  exists: false,
  uid: -1,
  locked: false,
  expired: false,
  nologin: false,
  shellMissing: false,
};

/** Group id by name from /etc/group, used for `tty`. Null: there is none. */
export async function lookUpGroupId(name: string, etc = "/etc"): Promise<number | null> {
  const line = findLine(readLocalText(`${etc}/group`), name);
  return line === null ? null : parseId(line[2]);
}

/**
 * `passwd -l` and `usermod -L` prefix the password with `!`; other systems write `*LK*`. A bare `!` or `!!`
 * is useradd(8)'s entry for an account that never had a password, and `*` means no password. Neither is a
 * lock.
 */
export function isLocked(password: string): boolean {
  return /^!+[^!]/.test(password) || password.startsWith("*LK*");
}

/** Field 8 of shadow(5), in days. As in pam_unix, the account has expired from that day on. Empty: never. */
export function isExpired(days: string, nowSeconds: number): boolean {
  return /^\d{1,9}$/.test(days) && Math.floor(nowSeconds / SECONDS_PER_DAY) >= Number(days);
}

async function isMissing(shell: string): Promise<boolean> {
  if (SYSTEM_SHELL.test(shell)) return isMissingNow(shell);
  try {
    const [facts] = await Promise.all([stat(shell), access(shell, constants.X_OK)]);
    return !facts.isFile();
  } catch {
    return true;
  }
}

/** Synchronous: another thread would take ten times as long, and system folders do not hang. */
function isMissingNow(shell: string): boolean {
  try {
    accessSync(shell, constants.X_OK);
    return !statSync(shell).isFile();
  } catch {
    return true;
  }
}

interface PasswdEntry {
  readonly password: string;
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
  readonly shell: string;
}

function parsePasswd(fields: readonly string[]): PasswdEntry | null {
  const [, password, uidText, gidText, , home, shell] = fields;
  const uid = parseId(uidText);
  const gid = parseId(gidText);
  if (fields.length !== 7 || uid === null || gid === null) return null;
  return {
    password: password ?? "",
    uid,
    gid,
    home: home?.startsWith("/") === true ? home : "/",
    shell: shell === undefined || shell === "" ? "/bin/sh" : shell,
  };
}

function parseId(text: string | undefined): number | null {
  if (text === undefined || !/^\d{1,10}$/.test(text)) return null;
  const id = Number(text);
  return id <= ID_MAX ? id : null;
}

/** Fields of the entry named `name`, or null. */
async function lookUpEntry(
  database: "passwd" | "shadow",
  name: string,
  { etc, getent }: AccountSources,
): Promise<string[] | null> {
  const services = servicesOf(readUnchangedText(`${etc}/nsswitch.conf`), database);
  if (getent === null || services[0] === "files") {
    const found = findLine(readUnchangedText(`${etc}/${database}`), name);
    if (found !== null || getent === null || services.length === 1) return found;
  }
  const answer = findLine(await runGetent(getent, database, name), name);
  // Without nsswitch (musl), or if getent fails, fall back to the files.
  return answer ?? findLine(readLocalText(`${etc}/${database}`), name);
}

/** nsswitch.conf as last parsed, because every decision needs it. */
let parsedServices: { readonly text: string; readonly services: Map<string, string[]> } | null = null;

/** Services of nsswitch.conf(5) for `database`. glibc's default is files. */
function servicesOf(text: string, database: string): string[] {
  if (parsedServices?.text !== text) parsedServices = { text, services: new Map() };
  const known = parsedServices.services.get(database);
  if (known !== undefined) return known;
  const services = parseServices(text, database);
  parsedServices.services.set(database, services);
  return services;
}

function parseServices(text: string, database: string): string[] {
  for (const line of text.split("\n")) {
    const [name, rest] = line.replace(/#.*/, "").split(":", 2);
    if (name?.trim() === database && rest !== undefined) return rest.trim().split(/\s+/);
  }
  return ["files"];
}

/** The first line whose first field is `name`. getent(1) also matches ids, which are not names. */
function findLine(text: string, name: string): string[] | null {
  const at = text.startsWith(`${name}:`) ? 0 : text.indexOf(`\n${name}:`) + 1;
  if (at === 0 && !text.startsWith(`${name}:`)) return null;
  const end = text.indexOf("\n", at);
  return text.slice(at, end < 0 ? undefined : end).split(":");
}

async function runGetent(getent: string, database: string, name: string): Promise<string> {
  const child = Bun.spawn([getent, "--", database, name], {
    stdio: ["ignore", "pipe", "ignore"],
    env: { PATH: "/usr/sbin:/usr/bin:/sbin:/bin" },
    cwd: "/",
    timeout: GETENT_TIMEOUT_MS,
    killSignal: "SIGKILL",
  });
  const text = await new Response(child.stdout).text();
  const status = await child.exited;
  return status === 0 && text.length <= GETENT_BYTES_MAX ? text : "";
}

function findGetent(): string | null {
  return Bun.which("getent", { PATH: "/usr/bin:/bin" });
}
