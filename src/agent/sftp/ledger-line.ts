/**
 * Format of the audit lines and answers between an SFTP server's process and the agent.
 *
 * @module
 */

/** First character of a line with a JSON array of operations. Any other line is text for the person. */
export const LEDGER_LINE = "\u0002";
/** Most operations in one line. */
export const LINE_OPERATIONS_MAX = 256;
/** Longest line: two paths of maximum length with six JSON characters for each byte, after a full line. */
export const LINE_BYTES_MAX = 512 * 1024;
/** Answers: one byte for each line, in order. */
export const LEDGER_YES = 6;
export const LEDGER_NO = 21;
