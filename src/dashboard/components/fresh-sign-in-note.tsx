/**
 * A note in a dialog whose change requires a fresh sign-in. The user signs in and confirms this very change
 * in another tab, so that what they typed here stays.
 *
 * @module
 */
import { ExternalLink } from "lucide-react";
import { ApiError } from "../api/client.ts";
import { BUTTON_LOOK } from "./button.tsx";
import { Note } from "./notice.tsx";

interface FreshSignInNoteProps {
  /**
   * Digest of the request to confirm. Null if there is none; the link then leaves this page and comes back.
   */
  readonly confirm: string | null;
  /** The verb on the dialog's button. */
  readonly verb: string;
}

export function FreshSignInNote({ confirm, verb }: FreshSignInNoteProps) {
  const to = location.pathname + location.search;
  const query = confirm === null ? { fresh: "1", to } : { confirm };
  return (
    <Note tone="warn">
      <p role="alert" className="font-medium">
        This takes a sign-in of the last minutes.
      </p>
      <p className="mt-1">A stolen session is not enough for it. {nextText(confirm, verb)}</p>
      <a
        href={`/login/dashboard?${new URLSearchParams(query)}`}
        {...(confirm === null ? {} : { target: "_blank", rel: "noopener noreferrer" })}
        className={`${BUTTON_LOOK} mt-3`}
      >
        {confirm === null ? "Sign in again" : "Sign in again to confirm it"}
        {confirm === null ? null : <ExternalLink size={14} aria-hidden="true" />}
      </a>
    </Note>
  );
}

function nextText(confirm: string | null, verb: string): string {
  if (confirm === null) return "You come back to this page, and what you typed is kept.";
  return (
    "Another tab asks you to sign in, and shows this very change. " +
    `Confirm it there, come back, and press ${verb} once more.`
  );
}

/** Whether the API requires a fresh sign-in. */
export function wantsFreshSignIn(error: unknown): error is ApiError {
  return error instanceof ApiError && error.code === "ERR_REAUTH_REQUIRED";
}
