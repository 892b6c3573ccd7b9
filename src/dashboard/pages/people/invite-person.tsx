/**
 * Invites a person to the embedded identity provider. The result is a link, shown once, by which the person
 * sets a password.
 *
 * @module
 */
import { useState } from "react";
import { ApiError } from "../../api/client.ts";
import { useChange } from "../../api/queries.ts";
import { useMe } from "../../app/me.ts";
import { useDraft } from "../../browser/draft.ts";
import { Button } from "../../components/button.tsx";
import { FormDialog } from "../../components/dialog.tsx";
import { SelectField, TextField } from "../../components/field.tsx";
import { GroupPicker } from "../../components/group-picker.tsx";
import { Note } from "../../components/notice.tsx";
import { OnceDialog } from "../../components/once-dialog.tsx";
import { type Role, rolesFor } from "./person-words.ts";

export function InvitePerson() {
  const [isOpen, setIsOpen] = useState(false);
  const [link, setLink] = useState<string | null>(null);
  return (
    <>
      <Button weight="primary" onClick={() => setIsOpen(true)}>
        Invite a person
      </Button>
      {isOpen ? <InviteForm onClose={() => setIsOpen(false)} onLink={setLink} /> : null}
      <OnceDialog
        text={link}
        onClose={() => setLink(null)}
        title="Send them this link"
        about="It works once, for a few days, and is not shown again."
        copy="Copy the link"
      />
    </>
  );
}

interface InviteFormProps {
  readonly onClose: () => void;
  readonly onLink: (link: string) => void;
}

interface Invitation {
  readonly email: string;
  readonly role: Role;
  readonly groups: readonly string[];
}

const NOBODY: Invitation = { email: "", role: "user", groups: [] };

function InviteForm({ onClose, onLink }: InviteFormProps) {
  const me = useMe();
  const [draft, setDraft] = useDraft<Invitation>("qf-invite");
  const { email, role, groups } = draft ?? NOBODY;
  const put = (part: Partial<Invitation>): void => setDraft({ ...(draft ?? NOBODY), ...part });
  const create = useChange("POST /api/users", ["groups"]);
  const close = (): void => {
    setDraft(null);
    onClose();
  };
  const invite = async (): Promise<void> => {
    const body = { email: email.trim(), role, auto_groups: [...groups], is_service_user: false };
    const { invite_link } = await create.mutateAsync({ body });
    if (invite_link !== undefined) onLink(invite_link);
  };
  const status = create.error instanceof ApiError ? create.error.status : 0;
  const problem = status === 422 || status === 409 ? (create.error?.message ?? null) : null;
  return (
    <FormDialog
      open
      onOpenChange={close}
      title="Invite a person"
      submit="Invite"
      problems={[problem]}
      disabled={!email.includes("@")}
      onSubmit={invite}
    >
      <TextField
        label="E-mail"
        type="email"
        value={email}
        onValue={(text) => put({ email: text })}
        maxLength={254}
        problem={problem}
        autoFocus
      />
      <SelectField
        label="Role"
        value={role}
        onValue={(value) => put({ role: value as Role })}
        choices={rolesFor(me, { isServiceUser: false })}
      />
      <GroupPicker
        label="Groups"
        chosen={new Set(groups)}
        onChosen={(chosen) => put({ groups: [...chosen] })}
      />
      <Note>
        People of another identity provider need no invitation: they appear when they first sign in.
      </Note>
    </FormDialog>
  );
}
