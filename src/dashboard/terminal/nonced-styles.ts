/**
 * The page's nonce on every `<style>` that a library makes: xterm.js makes some and takes none.
 *
 * @module
 */
import { styleNonce } from "../browser/style-nonce.ts";

let isDone = false;

/** From now on. Whoever can run script here can do the same, so this opens nothing. */
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
