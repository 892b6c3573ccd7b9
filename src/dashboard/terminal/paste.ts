/**
 * Cleans pasted text before it goes to the machine.
 *
 * @module
 */

/** Removes control characters other than tab and line breaks, which become LF. */
export function cleanPaste(text: string): string {
  return text.replace(/\r\n?/g, "\n").replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, "");
}

/** Whether to ask first, since a shell would run lines of the paste at once. */
export function wantsAsking(text: string, isBracketed: boolean): boolean {
  return !isBracketed && text.includes("\n");
}
