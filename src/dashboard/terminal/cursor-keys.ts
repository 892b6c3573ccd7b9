/**
 * Encodes keys that phones lack for the machine.
 *
 * @module
 */

const CURSOR_KEY = /^\u001b\[([ABCD])$/;
/** Keys that have a control character. */
const HAS_CONTROL = /^[A-Za-z@[\\\]^_ ]$/;

/** An arrow key in the form that the program asked for. Editors switch to application mode (DECCKM). */
export function cursorKey(text: string, isApplicationMode: boolean): string {
  return isApplicationMode ? text.replace(CURSOR_KEY, "\u001bO$1") : text;
}

/** The control character of a key. Null: it has none. */
export function controlKey(key: string): string | null {
  if (!HAS_CONTROL.test(key)) return null;
  return String.fromCharCode(key.toUpperCase().charCodeAt(0) & 0x1f);
}
