/**
 * The form of what an SFTP server's process and the agent say to each other about what was done.
 *
 * @module
 */

/** Begins a line that holds a JSON array of operations. Any other line is text for the person. */
export const LEDGER_LINE = "\u0002";
/** Most operations in a line. */
export const LINE_OPERATIONS_MAX = 256;
/** Longest line: two longest paths of characters that JSON writes as six, a line's worth before them. */
export const LINE_BYTES_MAX = 512 * 1024;
/** Answers, a byte for each line, in their order. */
export const LEDGER_YES = 6;
export const LEDGER_NO = 21;
