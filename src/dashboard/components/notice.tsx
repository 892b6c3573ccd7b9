/**
 * Boxes with one message: a failure of the API, an empty list, a note.
 *
 * @module
 */
import type { ReactNode } from "react";
import { ApiError } from "../api/client.ts";
import { Button } from "./button.tsx";
import { classes } from "./class-names.ts";

/** The failure, its hint, and for server errors the request id under which the log has it. */
export function FailureNotice({ error, retry }: { readonly error: unknown; readonly retry?: () => void }) {
  const known = error instanceof ApiError ? error : null;
  return (
    <div role="alert" className="rounded-md border border-bad bg-bad-ground p-3">
      <p className="font-medium text-bad">{known?.message ?? "Something went wrong on this page."}</p>
      {known?.hint == null ? null : <p className="mt-1">{known.hint}</p>}
      {known?.code !== "ERR_REAUTH_REQUIRED" ? null : <SignInAgain confirm={known.confirm} />}
      {known?.requestId == null || known.status < 500 ? null : (
        <p className="mt-1 text-soft text-xs">Request {known.requestId}</p>
      )}
      {retry === undefined ? null : (
        <Button size="small" className="mt-3" onClick={retry}>
          Try again
        </Button>
      )}
    </div>
  );
}

/**
 * A link to the identity provider. If one change is to be confirmed, it opens another tab, so that what was
 * typed here stays; otherwise it leaves this page and comes back.
 */
function SignInAgain({ confirm }: { readonly confirm: string | null }) {
  if (confirm !== null) {
    const href = `/login/dashboard?${new URLSearchParams({ confirm })}`;
    return (
      <p className="mt-1">
        <a className="underline" href={href} target="_blank" rel="noopener noreferrer">
          Sign in again to confirm it
        </a>
        {" in another tab, then come back here and press the button once more."}
      </p>
    );
  }
  const to = location.pathname + location.search;
  return (
    <p className="mt-1">
      <a className="underline" href={`/login/dashboard?${new URLSearchParams({ fresh: "1", to })}`}>
        Sign in again
      </a>
    </p>
  );
}

interface EmptyProps {
  readonly title: string;
  /** What to do next. */
  readonly children?: ReactNode;
  readonly action?: ReactNode;
}

/** Replaces a list that is empty. */
export function Empty({ title, children, action }: EmptyProps) {
  return (
    <div className="rounded-lg border border-line border-dashed bg-card px-6 py-12 text-center">
      <p className="font-semibold text-base">{title}</p>
      {children === undefined ? null : (
        <div className="mx-auto mt-2 max-w-prose text-balance text-soft">{children}</div>
      )}
      {action === undefined ? null : <div className="mt-5 flex justify-center gap-2">{action}</div>}
    </div>
  );
}

/** A note or a warning beside other content. */
export function Note({
  tone = "plain",
  children,
}: {
  readonly tone?: "plain" | "warn";
  readonly children: ReactNode;
}) {
  return (
    <div
      className={classes(
        "rounded-md border p-3",
        tone === "warn" ? "border-warn bg-warn-ground" : "border-line bg-sunken",
      )}
    >
      {children}
    </div>
  );
}
