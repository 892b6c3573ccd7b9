/**
 * Constants that build.ts compiles into the executable.
 *
 * @module
 */
declare const QF_VERSION: string | undefined;
declare const QF_COMMIT: string | undefined;
declare const QF_TARGET: string | undefined;
declare const QF_RELEASE_KEYS: readonly string[] | undefined;
declare const QF_DEVELOPMENT_PAGES: boolean | undefined;
declare const QF_SESSION_HELPER: string | undefined;

/** Version of this build, as in package.json: `0.1.0`. `0.0.0-dev` when run from source. */
export const VERSION: string = typeof QF_VERSION === "string" ? QF_VERSION : "0.0.0-dev";
/** Git commit of this build, abbreviated. `unknown` when run from source. */
export const COMMIT: string = typeof QF_COMMIT === "string" ? QF_COMMIT : "unknown";

/** The line that `qf version` prints, without its line break: `qf 0.1.0 (1a2b3c4)`. */
export const VERSION_LINE = `qf ${VERSION} (${COMMIT})`;

/** Target of this build, as releases name it: `linux-x64-musl`. From source, Bun's own target. */
export const TARGET: string =
  typeof QF_TARGET === "string" ? QF_TARGET : `${process.platform}-${process.arch}`;

/**
 * Public keys that sign releases, in OpenSSH format: the current one and the next. Empty in a development
 * build, which trusts no release.
 */
export const RELEASE_KEYS: readonly string[] = typeof QF_RELEASE_KEYS === "object" ? QF_RELEASE_KEYS : [];

/** The session helper of this build's platform, in base64. Empty: built without one, or run from source. */
export const SESSION_HELPER: string = typeof QF_SESSION_HELPER === "string" ? QF_SESSION_HELPER : "";

/** Whether this build serves `/dev/components`, for dashboard development. Never set in a release. */
export const HAS_DEVELOPMENT_PAGES: boolean =
  typeof QF_DEVELOPMENT_PAGES === "boolean" && QF_DEVELOPMENT_PAGES;
