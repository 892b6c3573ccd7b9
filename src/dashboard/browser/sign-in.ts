/**
 * Sign-in at the identity provider, with a return to the same place.
 *
 * @module
 */

/** Leaves for the sign-in, which returns to the current address. */
export function signInAgain(): void {
  const { pathname, search, hash } = window.location;
  window.location.assign(`/login/dashboard?to=${encodeURIComponent(pathname + search + hash)}`);
}
