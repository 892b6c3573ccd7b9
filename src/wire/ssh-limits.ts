/**
 * Limits of a machine's SSH server, as `qf agent up` accepts and stores them, named after sshd_config(5).
 *
 * Absent or null is the default of the version that runs. `agent/contracts/limits.ts` says what each
 * one bounds.
 *
 * @module
 */
import { z } from "zod";

const bounded = (min: number, max: number) =>
  z.int().min(min, `must be at least ${min}`).max(max, `must be at most ${max}`).nullable().optional();

/** An address, or a range in CIDR. */
const AddressRange = z.union([z.ipv4(), z.ipv6(), z.cidrv4(), z.cidrv6()], {
  error: "must be an address or a range such as 192.0.2.0/24",
});

/** Offences of a source before authentication, named as in sshd_config(5) where possible. */
export const OFFENCES = [
  /** Ended after sign-ins that proved nobody. */
  "authfail",
  /** Ended without one. */
  "noauth",
  /** Did not sign in, or did not say hello, in time. */
  "grace-exceeded",
  /** Broke the protocol before anybody was signed in. */
  "protocol-error",
  /** Sent the peers' port something other than a hello, or a forged or repeated one. */
  "invalid-hello",
] as const;
/** One of `OFFENCES`. */
export type Offence = (typeof OFFENCES)[number];

/**
 * Rules of penalties, as PerSourcePenalties of sshd_config(5): offences add up to seconds for which a source
 * is refused.
 */
export interface PenaltyRules {
  /** What each offence adds. 0: nothing. */
  readonly seconds: Readonly<Record<Offence, number>>;
  /** What has to be added up before a source is refused, and the most that adds up. */
  readonly minSeconds: number;
  readonly maxSeconds: number;
  /** Sources remembered; beyond it the oldest are forgotten. */
  readonly sourcesMax: number;
}

/** The rules without the flag: those of sshd 9.8, where it has them. */
export const DEFAULT_PENALTIES: PenaltyRules = {
  seconds: { authfail: 5, noauth: 1, "grace-exceeded": 10, "protocol-error": 10, "invalid-hello": 1 },
  minSeconds: 15,
  maxSeconds: 600,
  sourcesMax: 65_536,
};

const UNIT_SECONDS: Readonly<Record<string, number>> = { "": 1, s: 1, m: 60, h: 3600 };
const SOURCES_LIMIT = 1_048_576;
const SECONDS_LIMIT = 86_400;

/**
 * `text` in the grammar of PerSourcePenalties: `yes`, `no`, or `authfail:5s max:10m …` over the defaults,
 * with blanks or commas between. Null: `no`. Undefined: it is not in that grammar.
 */
export function parsePenalties(text: string): PenaltyRules | null | undefined {
  if (text === "no") return null;
  if (text === "yes") return DEFAULT_PENALTIES;
  const rules = { ...DEFAULT_PENALTIES, seconds: { ...DEFAULT_PENALTIES.seconds } };
  const words = text.split(/[\s,]+/).filter((word) => word !== "");
  for (const word of words) {
    const [, name = "", digits = "", unit = ""] = /^([a-z-]+):(\d{1,7})([smh]?)$/.exec(word) ?? [];
    const offence = OFFENCES.find((each) => each === name);
    const value = Number(digits);
    const seconds = value * (UNIT_SECONDS[unit] ?? 1);
    if (digits === "" || seconds > (name === "max-sources" ? SOURCES_LIMIT : SECONDS_LIMIT)) return undefined;
    if (offence !== undefined) rules.seconds[offence] = seconds;
    else if (name === "min") rules.minSeconds = seconds;
    else if (name === "max") rules.maxSeconds = seconds;
    else if (name === "max-sources" && unit === "" && value > 0) rules.sourcesMax = value;
    else return undefined;
  }
  return words.length === 0 ? undefined : rules;
}

/**
 * The SSH limits of `qf agent up`, as they are stored. Absent and null mean the default
 * (`agent/contracts/limits.ts`).
 */
export const SshLimitFlags = z.strictObject({
  sshLoginGraceTimeSeconds: bounded(1, 3600),
  sshMaxAuthTries: bounded(1, 20),
  sshMaxStartups: bounded(1, 65_536),
  sshPerSourceMaxStartups: bounded(1, 65_536),
  sshPerSourcePenalties: z
    .string()
    .max(512)
    .refine(
      (text) => parsePenalties(text) !== undefined,
      "must be yes, no, or words such as authfail:5s max:10m",
    )
    .nullable()
    .optional(),
  sshPerSourcePenaltyExemptList: z.array(AddressRange).max(64).optional(),
  sshMaxConnectionsPerUser: bounded(1, 65_536),
  sshMaxSessions: bounded(0, 4_096),
  sshMaxChannels: bounded(1, 4_096),
  sshMaxPacketSize: bounded(35_000, 1_048_576),
  /** 0: nobody is asked. */
  sshClientAliveIntervalSeconds: bounded(0, 86_400),
  sshClientAliveCountMax: bounded(1, 1_000),
  /** 0: no end. */
  sshIdleTimeoutSeconds: bounded(0, 31_536_000),
  sshMaxSessionTimeSeconds: bounded(0, 31_536_000),
});
export type SshLimitFlags = z.infer<typeof SshLimitFlags>;
