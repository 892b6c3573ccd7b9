/**
 * The nonce of this page's Content-Security-Policy, which styles made by libraries must carry.
 *
 * @module
 */
let known: string | undefined;

/** Empty: the page has none. */
export function styleNonce(): string {
  known ??= document.querySelector<HTMLScriptElement>("script[nonce]")?.nonce ?? "";
  return known;
}
