/**
 * A fresh sign-in that something takes, said inside its own dialog: what was typed stays, and the page comes
 * back to its address after the identity provider.
 *
 * @module
 */
import { ApiError } from "../api/client.ts";
import { Note } from "./notice.tsx";

export function FreshSignInNote() {
  return (
    <Note tone="warn">
      <p role="alert" className="font-medium">
        This takes a sign-in of the last minutes.
      </p>
      <p className="mt-1">
        So a page that was left open, or a stolen session, is not enough. Sign in again, and you come back
        here.
      </p>
    </Note>
  );
}

/** Leads to the identity provider, and back to this address. */
export function goSignInFresh(): void {
  const to = location.pathname + location.search;
  location.assign(`/login/dashboard?${new URLSearchParams({ fresh: "1", to })}`);
}

/** Whether the API wants a fresh sign-in. */
export function wantsFreshSignIn(error: unknown): boolean {
  return error instanceof ApiError && error.code === "ERR_REAUTH_REQUIRED";
}
