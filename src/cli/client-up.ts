/**
 * `qf up` on a person's own computer, as public tutorials write it: `qufabric up --ssh-jwt-cache-ttl 3600`.
 *
 * A person's computer serves nothing and has no setup key, so this is a sign-in, not an enrolment, which only
 * an administrator can do.
 *
 * @module
 */

/** Flags of `qf agent up` that a client may give as well. */
const CLIENT_FLAGS: ReadonlySet<string> = new Set(["management-url", "ssh-jwt-cache-ttl"]);

/** The given flags by name, the environment, and whether an agent has its state here. */
export interface UpQuestion {
  readonly given: Readonly<Record<string, unknown>>;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly isRoot: boolean;
  readonly isEnrolled: boolean;
}

/** Whether `qf up` is meant for a client. False if it has anything that only an agent understands. */
export function isClientUp({ given, environment, isRoot, isEnrolled }: UpQuestion): boolean {
  if (isRoot || isEnrolled) return false;
  const named = Object.entries(given).filter(([, value]) => value !== undefined && value !== false);
  if (named.some(([name]) => !CLIENT_FLAGS.has(name))) return false;
  const variables = ["QF_SETUP_KEY", "QF_SETUP_KEY_FILE", "QF_ALLOW_SERVER_SSH", "QF_STATE_DIR"];
  return variables.every((name) => (environment[name] ?? "") === "");
}
