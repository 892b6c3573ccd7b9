/**
 * Creates a service user: an identity for automation, which uses tokens instead of signing in.
 *
 * @module
 */
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { useChange } from "../../api/queries.ts";
import { useMe } from "../../app/me.ts";
import { useDraft } from "../../browser/draft.ts";
import { Button } from "../../components/button.tsx";
import { FormDialog } from "../../components/dialog.tsx";
import { SelectField, TextField } from "../../components/field.tsx";
import { GroupPicker } from "../../components/group-picker.tsx";
import { useToast } from "../../components/toasts.tsx";
import { type Role, rolesFor } from "./person-words.ts";

export function NewServiceUser() {
  const [isOpen, setIsOpen] = useState(false);
  return (
    <>
      <Button onClick={() => setIsOpen(true)}>New service user</Button>
      {isOpen ? <ServiceUserForm onClose={() => setIsOpen(false)} /> : null}
    </>
  );
}

interface Draft {
  readonly name: string;
  readonly role: Role;
  readonly groups: readonly string[];
}

const UNNAMED: Draft = { name: "", role: "user", groups: [] };

function ServiceUserForm({ onClose }: { readonly onClose: () => void }) {
  const me = useMe();
  const [draft, setDraft] = useDraft<Draft>("qf-service-user");
  const { name, role, groups } = draft ?? UNNAMED;
  const put = (part: Partial<Draft>): void => setDraft({ ...(draft ?? UNNAMED), ...part });
  const create = useChange("POST /api/users", ["groups"]);
  const navigate = useNavigate();
  const tell = useToast();
  const submit = async (): Promise<void> => {
    const body = { name: name.trim(), role, auto_groups: [...groups], is_service_user: true };
    const made = await create.mutateAsync({ body });
    setDraft(null);
    tell(`${made.name} is there. Make a token for it.`);
    await navigate({ to: "/people/$userId", params: { userId: made.id } });
  };
  const close = (): void => {
    setDraft(null);
    onClose();
  };
  return (
    <FormDialog
      open
      onOpenChange={close}
      title="New service user"
      about="For scripts and CI: it signs in by a token, never by a browser."
      submit="Create"
      isKeptOpen
      disabled={name.trim() === ""}
      onSubmit={submit}
    >
      <TextField
        label="Name"
        value={name}
        onValue={(text) => put({ name: text })}
        maxLength={256}
        placeholder="deploy-bot"
        autoFocus
      />
      <SelectField
        label="Role"
        hint="What its tokens of scope API may do. For SSH alone, User is enough."
        value={role}
        onValue={(value) => put({ role: value as Role })}
        choices={rolesFor(me, { isServiceUser: true })}
      />
      <GroupPicker
        label="Groups"
        chosen={new Set(groups)}
        onChosen={(chosen) => put({ groups: [...chosen] })}
      />
    </FormDialog>
  );
}
