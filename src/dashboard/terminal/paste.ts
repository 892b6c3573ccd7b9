/**
 * Pasted text before a machine sees it.
 *
 * @module
 */

/** Without control characters but tab and line breaks, which become those of the Return key. */
export function cleanPaste(text: string): string {
  return text.replace(/\r\n?/g, "\n").replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, "");
}

/** Whether a shell would run lines of it at once, unasked. */
export function wantsAsking(text: string, isBracketed: boolean): boolean {
  return !isBracketed && text.includes("\n");
}
