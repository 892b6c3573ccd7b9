/**
 * Leaving for the provider and coming back to the same place.
 *
 * @module
 */

/** Goes to sign in; the page comes back to where it is now. */
export function signInAgain(): void {
  const { pathname, search, hash } = window.location;
  window.location.assign(`/login/dashboard?to=${encodeURIComponent(pathname + search + hash)}`);
}
