/**
 * Edits the role and groups of a user, and shows what saving changes.
 *
 * The draft is kept in this tab, because granting the admin or owner role takes a fresh sign-in.
 *
 * @module
 */
import { useQuery } from "@tanstack/react-query";
import { reading } from "../../api/queries.ts";
import { useMe } from "../../app/me.ts";
import { useDraft } from "../../browser/draft.ts";
import { FormDialog } from "../../components/dialog.tsx";
import { SelectField } from "../../components/field.tsx";
import { GroupNamesField } from "../../components/group-names-field.tsx";
import { useToast } from "../../components/toasts.tsx";
import { WhatChanges } from "../../components/what-changes.tsx";
import { usePutPerson } from "./people-actions.tsx";
import { changesOf, nameOf, type PersonDraft, type Role, rolesFor, type User } from "./person-words.ts";

interface EditPersonProps {
  readonly user: User;
  readonly onClose: () => void;
}

export function EditPerson({ user, onClose }: EditPersonProps) {
  const me = useMe();
  const groups = useQuery(reading("GET /api/groups"));
  const [draft, setDraft] = useDraft<PersonDraft>(`qf-person:${user.id}`);
  const put = usePutPerson();
  const tell = useToast();
  const now = draft ?? { role: user.role, groups: user.auto_groups };
  const changes = changesOf(user, now, (id) => groups.data?.find((one) => one.id === id)?.name ?? id);
  const close = (): void => {
    setDraft(null);
    onClose();
  };
  const save = async (): Promise<void> => {
    await put(user, { role: now.role, auto_groups: [...now.groups] });
    tell(`${nameOf(user)} is saved.`);
  };
  return (
    <FormDialog
      open
      onOpenChange={close}
      title={`Edit ${nameOf(user)}`}
      submit="Save"
      disabled={changes.length === 0}
      onSubmit={save}
    >
      <SelectField
        label="Role"
        {...(user.is_current ? { hint: "Nobody changes their own role." } : {})}
        value={now.role}
        onValue={(role) => setDraft({ ...now, role: role as Role })}
        choices={
          user.is_current
            ? [{ value: user.role, label: user.role }]
            : rolesFor(me, { isServiceUser: user.is_service_user, current: user.role })
        }
      />
      <GroupNamesField
        label="Groups"
        hint="Policies that speak of these hold for them, at once."
        ids={now.groups}
        onIds={(ids) => setDraft({ ...now, groups: ids })}
      />
      <WhatChanges lines={changes} />
    </FormDialog>
  );
}
