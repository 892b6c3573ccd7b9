/**
 * The flags of `qf agent up`. A flag wins over its environment variable, then the stored value, then the
 * default.
 *
 * Pure. Each flag has one row in `FLAGS`, shared by help, parsing and storage. Stored names are positive even
 * if the flag is `--disable-…`.
 *
 * @module
 */
import { QfError } from "../../base/errors.ts";
import { AgentFlagsStored } from "../../wire/agent-state-file.ts";
import type { AgentFlags } from "../../wire/agent-sync.ts";

export const DEFAULT_LISTEN = "0.0.0.0:22022";

type Stored = AgentFlagsStored;

/** Some flags, from a command line or the control socket. Undefined: not given. */
export type FlagChange = { readonly [Key in keyof Stored]?: Stored[Key] | undefined };

export interface FlagRow {
  /** Without dashes. */
  readonly name: string;
  readonly key: keyof Stored;
  readonly kind: "boolean" | "inverted" | "text" | "list" | "seconds" | "number";
  /** Empty text means off, or the default. */
  readonly isOptional?: true;
}

/**
 * In the order of help and README, with limits last. `--setup-key` and `--state-dir` are not stored, so they
 * are not here.
 */
export const FLAGS: readonly FlagRow[] = [
  { name: "management-url", key: "managementUrl", kind: "text" },
  { name: "name", key: "name", kind: "text", isOptional: true },
  { name: "listen", key: "listen", kind: "text" },
  { name: "advertise", key: "advertise", kind: "list" },
  { name: "allow-server-ssh", key: "sshServer", kind: "boolean" },
  { name: "enable-ssh-root", key: "sshRoot", kind: "boolean" },
  { name: "enable-ssh-sftp", key: "sshSftp", kind: "boolean" },
  { name: "enable-ssh-local-port-forwarding", key: "sshLocalForwarding", kind: "boolean" },
  { name: "enable-ssh-remote-port-forwarding", key: "sshRemoteForwarding", kind: "boolean" },
  { name: "disable-ssh-auth", key: "sshAuth", kind: "inverted" },
  { name: "ssh-jwt-cache-ttl", key: "sshJwtCacheTtlSeconds", kind: "seconds" },
  { name: "plain-ssh-listen", key: "plainSshListen", kind: "text", isOptional: true },
  { name: "allow-offline-logins", key: "offlineLogins", kind: "boolean" },
  { name: "record-offline", key: "recordOffline", kind: "boolean" },
  { name: "recording-recipients", key: "recordingRecipients", kind: "list" },
  { name: "require-idp-binding", key: "requireIdpBinding", kind: "boolean" },
  { name: "pin-issuer", key: "pinIssuer", kind: "text", isOptional: true },
  { name: "pin-audience", key: "pinAudience", kind: "text", isOptional: true },
  { name: "ssh-host-key-algorithms", key: "sshHostKeyAlgorithms", kind: "list" },
  { name: "intercept", key: "intercept", kind: "list" },
  { name: "resolver", key: "resolver", kind: "text", isOptional: true },
  { name: "allow-managed-upgrades", key: "managedUpgrades", kind: "boolean" },
  // Limits, named after sshd_config(5).
  { name: "ssh-login-grace-time", key: "sshLoginGraceTimeSeconds", kind: "seconds", isOptional: true },
  { name: "ssh-max-auth-tries", key: "sshMaxAuthTries", kind: "number", isOptional: true },
  { name: "ssh-max-startups", key: "sshMaxStartups", kind: "number", isOptional: true },
  { name: "ssh-per-source-max-startups", key: "sshPerSourceMaxStartups", kind: "number", isOptional: true },
  { name: "ssh-per-source-penalties", key: "sshPerSourcePenalties", kind: "text", isOptional: true },
  { name: "ssh-per-source-penalty-exempt-list", key: "sshPerSourcePenaltyExemptList", kind: "list" },
  { name: "ssh-max-connections-per-user", key: "sshMaxConnectionsPerUser", kind: "number", isOptional: true },
  { name: "ssh-max-sessions", key: "sshMaxSessions", kind: "number", isOptional: true },
  { name: "ssh-max-channels", key: "sshMaxChannels", kind: "number", isOptional: true },
  { name: "ssh-max-packet-size", key: "sshMaxPacketSize", kind: "number", isOptional: true },
  {
    name: "ssh-client-alive-interval",
    key: "sshClientAliveIntervalSeconds",
    kind: "seconds",
    isOptional: true,
  },
  { name: "ssh-client-alive-count-max", key: "sshClientAliveCountMax", kind: "number", isOptional: true },
  { name: "ssh-idle-timeout", key: "sshIdleTimeoutSeconds", kind: "seconds", isOptional: true },
  { name: "ssh-max-session-time", key: "sshMaxSessionTimeSeconds", kind: "seconds", isOptional: true },
];

/** A flag's value from the command line: text, the texts of a repeated flag, or a boolean. */
export type FlagValue = string | boolean | readonly string[];
/** By flag name without dashes. Absent: not given. */
export type GivenFlags = Readonly<Record<string, FlagValue | undefined>>;
export type Environment = Readonly<Record<string, string | undefined>>;

/** For example `QF_ALLOW_SERVER_SSH` for `allow-server-ssh`. */
export function environmentName(flag: string): string {
  return `QF_${flag.toUpperCase().replaceAll("-", "_")}`;
}

/**
 * Flags given now by command line or environment, in stored form. Empty text turns an optional flag off; an
 * empty variable counts as not set. Throws ERR_USAGE naming the invalid flag or variable.
 */
export function parseGivenFlags(given: GivenFlags, env: Environment): FlagChange {
  const out: Record<string, unknown> = {};
  for (const row of FLAGS) {
    const flag = given[row.name];
    const twin = environmentName(row.name);
    const value = flag ?? (env[twin] === "" ? undefined : env[twin]);
    if (value === undefined) continue;
    const written = flag === undefined ? twin : `--${row.name}`;
    const parsed = AgentFlagsStored.shape[row.key].safeParse(parseValue(row, value, written));
    if (!parsed.success) {
      throw badValue(written, value, parsed.error.issues[0]?.message ?? "is not taken");
    }
    out[row.key] = parsed.data;
  }
  return out as FlagChange;
}

/** As in the tutorials, everything is off, except sign-in by certificate. */
function defaultFlags(): Omit<Stored, "managementUrl"> {
  return {
    name: null,
    listen: DEFAULT_LISTEN,
    advertise: [],
    sshServer: false,
    sshRoot: false,
    sshSftp: false,
    sshLocalForwarding: false,
    sshRemoteForwarding: false,
    sshAuth: true,
    sshJwtCacheTtlSeconds: 0,
    plainSshListen: null,
    offlineLogins: false,
    requireIdpBinding: false,
    pinIssuer: null,
    pinAudience: null,
  };
}

/**
 * Combines `given`, `stored` and the defaults, in this order, and checks the result. Throws ERR_USAGE if it
 * is contradictory, or if no management server is known.
 */
export function resolveFlags(given: FlagChange, stored: Stored | undefined): Stored {
  const change = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  const merged = { ...defaultFlags(), ...stored, ...(change as Partial<Stored>) };
  if (merged.managementUrl === undefined) {
    throw new QfError("ERR_USAGE", "no management server is known", {
      hint: "give --management-url https://qf.example.com, or set QF_MANAGEMENT_URL",
    });
  }
  const flags = { ...merged, managementUrl: merged.managementUrl.replace(/\/+$/, "") };
  if (flags.requireIdpBinding && (flags.pinIssuer === null || flags.pinAudience === null)) {
    throw new QfError("ERR_USAGE", "--require-idp-binding needs --pin-issuer and --pin-audience", {
      hint: "name the identity provider's issuer URL and the client id whose tokens count",
    });
  }
  return flags;
}

/** Stored names that differ between two sets of flags. */
export function changedFlags(before: Stored, after: Stored): (keyof Stored)[] {
  return FLAGS.map(({ key }) => key).filter(
    (key) => JSON.stringify(before[key]) !== JSON.stringify(after[key]),
  );
}

/** Flags as reported to management. */
export function reportedFlags(flags: Stored, process: { privileged: boolean; ownUser: string }): AgentFlags {
  return {
    sshServer: flags.sshServer,
    sshRoot: flags.sshRoot,
    sshSftp: flags.sshSftp,
    sshLocalForwarding: flags.sshLocalForwarding,
    sshRemoteForwarding: flags.sshRemoteForwarding,
    sshAuth: flags.sshAuth,
    offlineLogins: flags.offlineLogins,
    requireIdpBinding: flags.requireIdpBinding,
    privileged: process.privileged,
    ownUser: process.ownUser,
    ...(flags.managedUpgrades === true ? { managedUpgrades: true } : {}),
  };
}

function parseValue(row: FlagRow, value: FlagValue, written: string): unknown {
  if (row.kind === "boolean" || row.kind === "inverted") {
    const isOn = parseBoolean(value, written);
    return row.kind === "inverted" ? !isOn : isOn;
  }
  if (row.kind === "list") {
    const texts = typeof value === "object" ? value : [String(value)];
    return texts
      .flatMap((text) => text.split(","))
      .map((text) => text.trim())
      .filter((text) => text !== "");
  }
  if (typeof value !== "string") throw badValue(written, value, "needs a value");
  if (value === "" && row.isOptional === true) return null;
  if (row.kind === "seconds" || row.kind === "number") {
    const unit = row.kind === "seconds" ? "a whole number of seconds" : "a whole number";
    if (!/^\d{1,9}$/.test(value)) throw badValue(written, value, `must be ${unit}`);
    return Number(value);
  }
  return value;
}

const BOOLEANS: Readonly<Record<string, boolean>> = {
  "1": true,
  true: true,
  yes: true,
  on: true,
  "0": false,
  false: false,
  no: false,
  off: false,
};

function parseBoolean(value: FlagValue, written: string): boolean {
  if (typeof value === "boolean") return value;
  const found =
    typeof value === "string" ? Object.entries(BOOLEANS).find(([text]) => text === value) : undefined;
  if (found === undefined) throw badValue(written, value, "must be true or false");
  return found[1];
}

function badValue(written: string, value: FlagValue, problem: string): QfError {
  const shown = JSON.stringify(typeof value === "object" ? value.join(",") : value).slice(0, 100);
  return new QfError("ERR_USAGE", `${written}: ${shown} ${problem}`, {
    hint: "qf agent up --help lists the flags and what they take",
  });
}

/**
 * The flags of a running agent after `change`, and which of them changed. Throws ERR_USAGE, and ERR_CONFLICT
 * for flags that cannot change while it runs.
 */
export function liveFlags(
  change: FlagChange,
  before: AgentFlagsStored,
): { readonly flags: AgentFlagsStored; readonly changed: ReturnType<typeof changedFlags> } {
  const flags = resolveFlags(change, before);
  const changed = changedFlags(before, flags);
  if (changed.some((key) => key === "managementUrl" || key === "name")) {
    throw new QfError("ERR_CONFLICT", "a running agent keeps its management server and its name", {
      hint: "run qf agent down first, then qf agent up with the change",
    });
  }
  return { flags, changed };
}
