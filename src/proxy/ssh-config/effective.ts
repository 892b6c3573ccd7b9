/**
 * The configuration that ssh(1) really uses for a host, asked with `ssh -G`: the first value wins there, so
 * another line before ours may have turned off what keeps a connection safe.
 *
 * @module
 */
import { platform } from "../../base/platform/platform.ts";
import { fixedOptions, type OpensshHere } from "./fixed-options.ts";

/** Longest wait for `ssh -G`; it asks nobody but our `match`. */
const TIMEOUT_MS = 10_000;

/** Options in lower case with their values, in order. */
export type EffectiveOptions = ReadonlyMap<string, readonly string[]>;

interface Question {
  readonly ssh: string;
  /** `-F` and `-o` with their values. */
  readonly args: readonly string[];
  readonly host: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** Runs `ssh -G` for `host`. Undefined when ssh fails; `said` is then what it said. */
export async function readEffective(
  options: Question,
): Promise<{ readonly effective: EffectiveOptions | undefined; readonly said: string }> {
  const child = startSsh(options);
  if (child === null) return { effective: undefined, said: `${options.ssh} cannot be started` };
  const [stdout, said, status] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  return { effective: status === 0 ? parseEffective(stdout) : undefined, said };
}

/** Null for a file that is no program of this system. */
function startSsh({ ssh, args, host, environment }: Question) {
  try {
    return Bun.spawn([ssh, "-G", ...args, "--", host], {
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...environment },
      timeout: TIMEOUT_MS,
    });
  } catch {
    return null;
  }
}

/** The lines of `ssh -G`. */
export function parseEffective(text: string): EffectiveOptions {
  const found = new Map<string, string[]>();
  for (const line of text.split("\n")) {
    const space = line.indexOf(" ");
    if (space <= 0) continue;
    const name = line.slice(0, space).toLowerCase();
    found.set(name, [...(found.get(name) ?? []), line.slice(space + 1).trim()]);
  }
  return found;
}

/** Without these there is no connection through us, or a key of ours could leave: no certificate then. */
const NEEDED = ["AddKeysToAgent", "ProxyUseFdpass", "PubkeyAuthentication"] as const;
/** With another value ssh could take another host key than ours: we check it ourselves then. */
const ABOUT_HOST_KEYS = [
  "StrictHostKeyChecking",
  "UserKnownHostsFile",
  "GlobalKnownHostsFile",
  "VerifyHostKeyDNS",
  "NoHostAuthenticationForLocalhost",
] as const;
const SYNONYMS: Readonly<Record<string, readonly string[]>> = {
  yes: ["yes", "true"],
  no: ["no", "false"],
  none: ["none", "/dev/null"],
};

/** Names of options that are not as our drop-in says, by what that means. */
export function weakenedOptions(
  effective: EffectiveOptions,
  on: OpensshHere = platform,
): {
  /** It cannot do without. */
  readonly needed: readonly string[];
  /** The peer's host key has to be checked by `host-key-check.ts`. */
  readonly hostKeys: readonly string[];
  readonly wanted: readonly string[];
} {
  const weak = Object.entries(fixedOptions(on)).flatMap(([name, value]) => {
    const is = effective.get(name.toLowerCase());
    // An option that this ssh does not know at all is off.
    if (is === undefined || (SYNONYMS[value] ?? [value]).includes(is.join(" "))) return [];
    return [name];
  });
  const isNeeded = (name: string) => NEEDED.some((needed) => needed === name);
  const isAboutHostKeys = (name: string) => ABOUT_HOST_KEYS.some((option) => option === name);
  const hosts = effective.get("knownhostscommand")?.join(" ") ?? "";
  const needed = weak.filter(isNeeded);
  // By its call we know that ssh signs next (`keys/key-files.ts`).
  const isAsked = on.openssh === "windows" || / proxy known-hosts .*%H$/.test(hosts);
  if (!isAsked) needed.push("KnownHostsCommand");
  return {
    needed,
    hostKeys: weak.filter(isAboutHostKeys),
    wanted: weak.filter((name) => !isNeeded(name) && !isAboutHostKeys(name)),
  };
}

/** Whether ssh goes through us for this host at all. */
export function isOurs(effective: EffectiveOptions): boolean {
  return effective.get("proxycommand")?.join(" ").includes(" proxy connect ") === true;
}
