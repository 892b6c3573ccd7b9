/**
 * A dialog for actions that require a fresh sign-in. It says why, leads to the identity provider, and comes
 * back to where the user was.
 *
 * @module
 */
import { FormDialog } from "./dialog.tsx";

interface FreshSignInProps {
  readonly open: boolean;
  readonly onOpenChange: (open: boolean) => void;
  /** The purpose, such as "to approve this request". */
  readonly what: string;
  /** The page to come back to, with its query. */
  readonly to: string;
}

export function FreshSignIn({ open, onOpenChange, what, to }: FreshSignInProps) {
  return (
    <FormDialog
      open={open}
      onOpenChange={onOpenChange}
      title="Sign in again"
      about={
        `It takes a sign-in of the last minutes ${what}, so that a page left open is not enough. ` +
        "You come back here afterwards."
      }
      submit="Go to sign-in"
      isKeptOpen
      onSubmit={async () => {
        location.assign(`/login/dashboard?${new URLSearchParams({ fresh: "1", to })}`);
      }}
    >
      {null}
    </FormDialog>
  );
}
