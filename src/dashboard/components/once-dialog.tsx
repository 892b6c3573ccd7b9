/**
 * Shows a secret once, such as a link or a token. The dialog stays until the user closes it.
 *
 * @module
 */
import type { ReactNode } from "react";
import { CopyLine } from "./copy-button.tsx";
import { FormDialog } from "./dialog.tsx";

interface OnceDialogProps {
  /** Null if there is nothing to show. */
  readonly text: string | null;
  readonly onClose: () => void;
  readonly title: string;
  readonly about: ReactNode;
  /** Label of the button that copies it. */
  readonly copy: string;
  readonly children?: ReactNode;
}

export function OnceDialog({ text, onClose, title, about, copy, children }: OnceDialogProps) {
  return (
    <FormDialog
      open={text !== null}
      onOpenChange={(open) => (open ? undefined : onClose())}
      title={title}
      about={about}
      submit="Done"
      isOnlyShown
      onSubmit={async () => onClose()}
    >
      <CopyLine label={copy} text={text ?? ""} />
      {children}
    </FormDialog>
  );
}
