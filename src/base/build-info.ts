/**
 * Constants that build.ts burns into the executable.
 *
 * @module
 */
declare const QF_VERSION: string | undefined;
declare const QF_COMMIT: string | undefined;

export const VERSION: string = typeof QF_VERSION === "string" ? QF_VERSION : "0.0.0-dev";
export const COMMIT: string = typeof QF_COMMIT === "string" ? QF_COMMIT : "unknown";

/** What `qf version` says, without the line break. */
export const VERSION_LINE = `qf ${VERSION} (${COMMIT})`;
