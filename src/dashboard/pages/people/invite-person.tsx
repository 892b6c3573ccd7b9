/**
 * Inviting a person of the embedded provider: the answer is a link, shown once, by which they choose a
 * password.
 *
 * @module
 */
import { useState } from "react";
import { ApiError } from "../../api/client.ts";
import { useChange } from "../../api/queries.ts";
import { Button } from "../../components/button.tsx";
import { CopyLine } from "../../components/copy-button.tsx";
import { FormDialog } from "../../components/dialog.tsx";
import { SelectField, TextField } from "../../components/field.tsx";
import { GroupPicker } from "../../components/group-picker.tsx";
import { Note } from "../../components/notice.tsx";

const ROLES = [
  { value: "user", label: "User: their own access" },
  { value: "auditor", label: "Auditor: reads everything" },
  { value: "admin", label: "Admin: changes everything but owners" },
] as const;
type InvitedRole = (typeof ROLES)[number]["value"];

export function InvitePerson() {
  const [isOpen, setIsOpen] = useState(false);
  const [link, setLink] = useState<string | null>(null);
  return (
    <>
      <Button weight="primary" onClick={() => setIsOpen(true)}>
        Invite a person
      </Button>
      {isOpen ? <InviteForm onClose={() => setIsOpen(false)} onLink={setLink} /> : null}
      <FormDialog
        open={link !== null}
        onOpenChange={(open) => (open ? undefined : setLink(null))}
        title="Send them this link"
        about="It works once, for a few days, and is not shown again."
        submit="Done"
        onSubmit={async () => setLink(null)}
      >
        <CopyLine label="Copy the link" text={link ?? ""} />
      </FormDialog>
    </>
  );
}

interface InviteFormProps {
  readonly onClose: () => void;
  readonly onLink: (link: string) => void;
}

function InviteForm({ onClose, onLink }: InviteFormProps) {
  const [email, setEmail] = useState("");
  const [role, setRole] = useState<InvitedRole>("user");
  const [groups, setGroups] = useState<ReadonlySet<string>>(new Set());
  const create = useChange("POST /api/users", ["groups"]);
  const invite = async (): Promise<void> => {
    const body = { email: email.trim(), role, auto_groups: [...groups], is_service_user: false };
    const { invite_link } = await create.mutateAsync({ body });
    if (invite_link !== undefined) onLink(invite_link);
  };
  const problem =
    create.error instanceof ApiError && create.error.status === 422 ? create.error.message : null;
  return (
    <FormDialog
      open
      onOpenChange={onClose}
      title="Invite a person"
      submit="Invite"
      disabled={!email.includes("@")}
      onSubmit={invite}
    >
      <TextField
        label="E-mail"
        type="email"
        value={email}
        onValue={setEmail}
        maxLength={254}
        problem={problem}
        autoFocus
      />
      <SelectField
        label="Role"
        value={role}
        onValue={(value) => setRole(ROLES.find((one) => one.value === value)?.value ?? "user")}
        choices={ROLES}
      />
      <GroupPicker label="Groups" chosen={groups} onChosen={setGroups} />
      <Note>
        People of another identity provider need no invitation: they appear when they first sign in.
      </Note>
    </FormDialog>
  );
}
