/**
 * Puts the page's nonce on every `<style>` that a library creates: xterm.js creates some but accepts no
 * nonce.
 *
 * @module
 */
import { styleNonce } from "../browser/style-nonce.ts";

let isDone = false;

/** Does so from now on. Any script that runs here could do the same, so this weakens nothing. */
export function giveStylesNonce(): void {
  if (isDone) return;
  isDone = true;
  const make = document.createElement;
  document.createElement = function createElement(this: Document, name: string, options?: unknown) {
    const element = make.call(this, name, options as ElementCreationOptions);
    if (element instanceof HTMLStyleElement) element.nonce = styleNonce();
    return element;
  } as typeof document.createElement;
}
