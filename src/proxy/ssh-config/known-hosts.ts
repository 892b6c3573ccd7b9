/**
 * `qf proxy known-hosts H`: the host keys that management named when this connection was made, as
 * known_hosts lines. Nothing when there are none, or none fresh: then ssh(1) refuses the host.
 *
 * @module
 */
import { readFileSync, statSync, writeSync } from "node:fs";
import { join } from "node:path";
import type { Clock } from "../../base/clock.ts";
import { parseJson } from "../../base/parse-json.ts";
import { platform } from "../../base/platform/platform.ts";
import { isDnsName, parseDialledName } from "../../client/peer-name.ts";
import type { TargetInfo } from "../../wire/client-api.ts";
import { noteAsked, replaceFile } from "../keys/key-readers.ts";
import { type Environment, opensshFolderPath } from "../keys/openssh-folder.ts";
import { DOMAINS_FILE, knownHostsFile, readDomains } from "./match.ts";

/** ssh asks within a moment of `connect`; what is older was said of another connection. */
const HOST_KEYS_MS_MAX = 10 * 60_000;
export const HOST_KEYS_MAX = 8;
const DOMAINS_MAX = 16;
export const BLOB = /^[A-Za-z0-9+/]{1,4096}={0,2}$/;
/** Types that our machines have; the blob says which it is. */
const TYPES = ["ssh-ed25519", "ecdsa-sha2-nistp256"] as const;

/** Keeps the host keys of `target` for the names by which it is dialled. */
export function keepHostKeys(folder: string, host: string, target: TargetInfo): void {
  const text = `${JSON.stringify({ peerId: target.peerId, hostKeys: target.hostKeys })}\n`;
  for (const name of new Set([host, target.name])) {
    if (parseDialledName(name) === name) replaceFile(join(folder, knownHostsFile(name)), text);
  }
  keepDomain(folder, target.name.slice(target.name.indexOf(".") + 1));
}

/** For `qf proxy match` without a domain. */
export function keepDomain(folder: string, domain: string): void {
  const domains = readDomains(folder);
  if (!isDnsName(domain) || domains.includes(domain)) return;
  replaceFile(join(folder, DOMAINS_FILE), `${[...domains, domain].slice(-DOMAINS_MAX).join("\n")}\n`);
}

export interface KnownHostsOptions {
  readonly environment: Environment;
  readonly configDir: string | undefined;
  readonly clock: Clock;
}

/** `qf proxy known-hosts H`. That ssh asks says also that it signs next. */
export function runKnownHosts(asked: string, options: KnownHostsOptions): void {
  const { name } = nameOf(asked);
  if (name !== undefined) {
    noteAsked(opensshFolderPath(options.environment, options.configDir), name, String(process.ppid));
  }
  writeSync(1, knownHostsLines(asked, options));
}

/** Lines for `asked`, which is `host` or `[host]:port` as ssh(1) looks it up. Empty: unknown. */
export function knownHostsLines(asked: string, options: KnownHostsOptions): string {
  const { name, isBracketed } = nameOf(asked);
  if (name === undefined) return "";
  const path = join(opensshFolderPath(options.environment, options.configDir), knownHostsFile(name));
  return readHostKeys(path, options.clock)
    .map((blob) => knownHostsLine(isBracketed ? asked.toLowerCase() : name, blob))
    .join("");
}

/** A known_hosts line. Empty for a key of a type that no machine of ours has. */
export function knownHostsLine(hosts: string, blob: string): string {
  const type = typeOf(blob);
  return type === undefined ? "" : `${hosts} ${type} ${blob}\n`;
}

function nameOf(asked: string): { readonly name: string | undefined; readonly isBracketed: boolean } {
  const bracketed = /^\[([^[\]]*)\]:\d{1,5}$/.exec(asked);
  return { name: parseDialledName(bracketed?.[1] ?? asked), isBracketed: bracketed !== null };
}

function readHostKeys(path: string, clock: Clock): string[] {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined) return [];
  const isOurs = found.isFile() && platform.ownership.intruder(path, found) === null;
  if (!isOurs || Math.abs(clock.nowMs() - found.mtimeMs) > HOST_KEYS_MS_MAX) return [];
  const cached = parseJson(readFileSync(path, "utf8")) as { hostKeys?: unknown } | undefined;
  if (!Array.isArray(cached?.hostKeys)) return [];
  return cached.hostKeys
    .slice(0, HOST_KEYS_MAX)
    .filter((blob): blob is string => typeof blob === "string" && BLOB.test(blob));
}

function typeOf(blob: string): (typeof TYPES)[number] | undefined {
  const bytes = Buffer.from(blob, "base64");
  const length = bytes.length > 4 ? bytes.readUInt32BE(0) : 0;
  return TYPES.find((type) => type.length === length && bytes.toString("latin1", 4, 4 + length) === type);
}
