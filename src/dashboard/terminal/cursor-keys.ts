/**
 * Keys that phones do not have, as a machine hears them.
 *
 * @module
 */

const CURSOR_KEY = /^\u001b\[([ABCD])$/;
/** Letters and signs that have a control character. */
const HAS_CONTROL = /^[A-Za-z@[\\\]^_ ]$/;

/** An arrow in the form that the program asked for: editors turn on application mode (DECCKM). */
export function cursorKey(text: string, isApplicationMode: boolean): string {
  return isApplicationMode ? text.replace(CURSOR_KEY, "\u001bO$1") : text;
}

/** Control and a key. Null: the key has no control character. */
export function controlKey(key: string): string | null {
  if (!HAS_CONTROL.test(key)) return null;
  return String.fromCharCode(key.toUpperCase().charCodeAt(0) & 0x1f);
}
