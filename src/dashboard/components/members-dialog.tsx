/**
 * A dialog that edits memberships. It shows the difference before it is saved, and keeps the draft in this
 * tab.
 *
 * @module
 */
import type { ReactNode } from "react";
import { useDraft } from "../browser/draft.ts";
import { FormDialog } from "./dialog.tsx";
import { membersChange } from "./members-change.ts";
import { useToast } from "./toasts.tsx";
import { WhatChanges } from "./what-changes.tsx";

interface MembersDialogProps {
  readonly title: string;
  readonly about?: string;
  /** Storage key of the draft. */
  readonly draftKey: string;
  /** Ids of the members as saved. */
  readonly before: readonly string[];
  readonly nameOf: (id: string) => string;
  readonly onSave: (now: readonly string[]) => Promise<unknown>;
  /** Message shown once it is saved. */
  readonly done: string;
  readonly onClose: () => void;
  /** The field that edits the members. */
  readonly children: (now: readonly string[], onNow: (ids: readonly string[]) => void) => ReactNode;
}

export function MembersDialog(props: MembersDialogProps) {
  const [draft, setDraft] = useDraft<readonly string[]>(props.draftKey);
  const tell = useToast();
  const now = draft ?? props.before;
  const changes = membersChange(props.before, now, props.nameOf);
  const close = (): void => {
    setDraft(null);
    props.onClose();
  };
  const save = async (): Promise<void> => {
    await props.onSave(now);
    tell(props.done);
  };
  return (
    <FormDialog
      open
      onOpenChange={close}
      title={props.title}
      about={props.about}
      submit="Save"
      disabled={changes.length === 0}
      onSubmit={save}
    >
      {props.children(now, setDraft)}
      <WhatChanges lines={changes} />
    </FormDialog>
  );
}
