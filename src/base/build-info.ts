/**
 * Constants that build.ts burns into the executable.
 *
 * @module
 */
declare const QF_VERSION: string | undefined;
declare const QF_COMMIT: string | undefined;

/** Version of this build, as in package.json: `0.1.0`. `0.0.0-dev` when run from source. */
export const VERSION: string = typeof QF_VERSION === "string" ? QF_VERSION : "0.0.0-dev";
/** Git commit of this build, abbreviated. `unknown` when run from source. */
export const COMMIT: string = typeof QF_COMMIT === "string" ? QF_COMMIT : "unknown";

/** The line that `qf version` prints, without its line break: `qf 0.1.0 (1a2b3c4)`. */
export const VERSION_LINE = `qf ${VERSION} (${COMMIT})`;
