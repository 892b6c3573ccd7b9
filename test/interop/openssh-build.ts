/**
 * Which OpenSSH the regression scripts come from: Debian's package openssh-tests with Debian's programs,
 * or the folder of any build (`make interop OPENSSH=…`), after its `make` and `make regress-binaries`.
 */
import { accessSync, constants, existsSync } from "node:fs";
import { basename, join, resolve } from "node:path";

export interface OpenSshBuild {
  /** As `ssh -V` says it, such as `OpenSSH_10.3p1`. */
  readonly version: string;
  /** The scripts, with the small programs that they run. */
  readonly regress: string;
  readonly config: string;
  readonly ssh: string;
  /** Its other programs, in the variables that test-exec.sh reads. Empty: those of the PATH. */
  readonly programs: Readonly<Record<string, string>>;
}

/** Variable of test-exec.sh, and the program in the folder of a build. */
const PROGRAMS = {
  TEST_SSH_SCP: "scp",
  TEST_SSH_SFTP: "sftp",
  TEST_SSH_SSHADD: "ssh-add",
  TEST_SSH_SSHAGENT: "ssh-agent",
  TEST_SSH_SSHKEYGEN: "ssh-keygen",
  TEST_SSH_SSHKEYSCAN: "ssh-keyscan",
} as const;
/** What the scripts run besides; a build makes them with its target `regress-binaries`. */
const HELPERS = ["netcat", "modpipe", "mkdtemp", "setuid-allowed", "check-perm"] as const;
const DEBIAN_REGRESS = "/usr/lib/openssh/regress";

export const DEBIAN_BUILD: OpenSshBuild = {
  version: "Debian's",
  regress: DEBIAN_REGRESS,
  config: join(DEBIAN_REGRESS, "config.h"),
  ssh: "/usr/bin/ssh",
  programs: {},
};

/** The build in `folder`, or Debian's where there is none. Throws and names what is missing. */
export function openSshBuild(folder: string | undefined): OpenSshBuild {
  if (folder === undefined || folder === "") {
    if (!existsSync(DEBIAN_REGRESS)) throw new Error("install Debian's openssh-tests first");
    return DEBIAN_BUILD;
  }
  const at = (name: string): string => resolve(folder, name);
  const needed = ["ssh", ...Object.values(PROGRAMS), ...HELPERS.map((name) => `regress/${name}`)];
  const missing = needed.filter((name) => !isExecutable(at(name)));
  if (!existsSync(at("config.h"))) missing.push("config.h");
  if (!existsSync(at("regress/test-exec.sh"))) missing.push("regress/test-exec.sh");
  if (missing.length > 0) {
    throw new Error(`OPENSSH=${folder} is not a built OpenSSH: it lacks ${missing.join(", ")}`);
  }
  const said = Bun.spawnSync([at("ssh"), "-V"], { stderr: "pipe" }).stderr.toString();
  const version = /^OpenSSH_[\w.]+/.exec(said)?.[0] ?? basename(resolve(folder));
  return {
    version,
    regress: at("regress"),
    config: at("config.h"),
    ssh: at("ssh"),
    programs: Object.fromEntries(Object.entries(PROGRAMS).map(([name, program]) => [name, at(program)])),
  };
}

/** Where the table of a whole run goes, and what stands above it. */
export function resultsOf(build: OpenSshBuild): { readonly file: string; readonly head: string } {
  const isDebian = build === DEBIAN_BUILD;
  const parts = isDebian ? "Debian's openssh-tests, its ssh" : "the scripts and the clients of a build";
  const command = isDebian ? "make interop" : "make interop OPENSSH=FOLDER";
  const title = isDebian ? "OpenSSH's regression scripts against qf" : `${build.version} against qf`;
  return {
    file: isDebian ? "RESULTS.md" : `RESULTS-${build.version.replaceAll("_", "-")}.md`,
    head: `# ${title}

Written by \`${command}\`: ${parts} and our server.
\`-\`: no connection by a configuration of ssh; the script speaks to the port or to the SFTP server itself,
or is about names and host keys that the drop-in sets.
`,
  };
}

export function hasScript(build: OpenSshBuild, name: string): boolean {
  return existsSync(join(build.regress, `${name}.sh`));
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
