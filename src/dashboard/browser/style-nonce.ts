/**
 * The nonce of this page's Content-Security-Policy, which styles created by libraries must carry.
 *
 * @module
 */
let known: string | undefined;

/** The nonce. Empty: the page has none. */
export function styleNonce(): string {
  known ??= document.querySelector<HTMLScriptElement>("script[nonce]")?.nonce ?? "";
  return known;
}
