/**
 * Attacks by names that others choose on what is written from them, or read with them: ssh_config,
 * known_hosts, the hosts file, the command line of ssh(1).
 *
 * They run on this machine, by its own `ssh` and its own configuration. What a name could run would leave a
 * mark in a folder of its own, and nothing else.
 *
 * @module
 */
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../../base/clock.ts";
import { isQfError } from "../../base/errors.ts";
import { platform } from "../../base/platform/platform.ts";
import type { Attack, Verdict } from "../../client/selftest/attack.ts";
import { DnsName, HostLabel } from "../../wire/units.ts";
import type { Environment } from "../keys/openssh-folder.ts";
import { renderDropIn } from "./drop-in.ts";
import { isOurs, readEffective } from "./effective.ts";
import { knownHostsLines } from "./known-hosts.ts";

/** The environment variable that names the mark. */
const MARK = "QF_SELFTEST_MARK";
const RUN = `touch "$${MARK}"`;
/** What no name may be: it ends a word, a line or a quote, begins an option, or means more than itself. */
const HOSTILE = [
  `web1"\n  ProxyCommand ${RUN}\nHost x`,
  `web1' ; ${RUN} ; '`,
  `$(${RUN})`,
  `\`${RUN}\``,
  `web1|${RUN}`,
  `web1&${RUN}`,
  "web1\n127.0.0.1 github.com",
  "web1 github.com",
  "web1,github.com",
  "web1#",
  "*",
  "-oProxyCommand=x",
  "%h%n%u",
  "../../.ssh/config",
  "web1\u202egpj",
  "",
] as const;

export interface ConfigAttacksOptions {
  readonly environment: Environment;
  /** ssh(1). Undefined: there is none. */
  readonly ssh: string | undefined;
  /** Names of the account's machines as management gives them out. Null: they may not be read. */
  readonly names: (() => Promise<readonly string[]>) | null;
}

export function configAttacks({ environment, ssh, names }: ConfigAttacksOptions): Attack[] {
  const attack = (id: string, tried: string, run: () => Promise<Verdict>): Attack => {
    return { id, target: "this machine", tried, run };
  };
  return [
    attack("config_domain", "domains of an account that would be more in ssh_config", async () =>
      firstTaken((domain) => isRefused(() => renderFor(domain))),
    ),
    attack("config_known_hosts", "names that would be more in known_hosts", async () =>
      firstTaken(
        (name) => knownHostsLines(name, { environment, configDir: undefined, clock: systemClock }) === "",
      ),
    ),
    attack("config_names", "names of machines that would be more in a hosts file", async () =>
      firstTaken((name) => ![HostLabel, DnsName].some((kind) => kind.safeParse(name).success)),
    ),
    attack("config_names_given", "the names of machines that management gives out", async () => {
      if (names === null) return { skipped: "it wants a login or token that may read machines" };
      const bad = (await names()).find((name) => !DnsName.safeParse(name).success);
      return bad === undefined ? null : `a machine is called ${JSON.stringify(bad)}`;
    }),
    attack("config_ssh_runs", "hosts and users that ssh(1) would run, by its configuration here", () =>
      ssh === undefined ? Promise.resolve({ skipped: "there is no ssh here" }) : sshRuns(ssh, environment),
    ),
  ];
}

/** The first hostile name that is not refused. */
function firstTaken(isHeld: (name: string) => boolean): Verdict {
  const taken = HOSTILE.find((name) => !isHeld(name));
  return taken === undefined ? null : `${JSON.stringify(taken)} was taken`;
}

function isRefused(act: () => unknown): boolean {
  try {
    act();
    return false;
  } catch (error) {
    return isQfError(error, "ERR_USAGE");
  }
}

function renderFor(domain: string): string {
  const isWindows = platform.openssh === "windows";
  return isWindows
    ? renderDropIn({ executable: "C:\\qf.exe", domain, configDir: "C:\\qf", shortNames: false })
    : renderDropIn({ executable: "/usr/bin/qf", domain, configDir: undefined, shortNames: true });
}

/** `ssh -G` reads the whole configuration and runs what that says, and connects to nobody. */
async function sshRuns(ssh: string, environment: Environment): Promise<Verdict> {
  const folder = await mkdtemp(join(tmpdir(), "qf-selftest-"));
  const mark = join(folder, "mark");
  try {
    for (const name of HOSTILE) {
      for (const [host, user] of [
        [name, "nobody"],
        ["web1.invalid", name],
      ] as const) {
        const asked = { ssh, args: ["-l", user], host, environment: { ...environment, [MARK]: mark } };
        const { effective } = await readEffective(asked);
        if (existsSync(mark)) return `ssh ran a part of ${JSON.stringify(name)}`;
        if (effective !== undefined && isOurs(effective))
          return `${JSON.stringify(name)} counts as a machine`;
      }
    }
    return null;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
