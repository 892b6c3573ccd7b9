/**
 * The actions on one user: buttons, and the dialogs they open. The URL names the open dialog, so a fresh
 * sign-in returns to it.
 *
 * @module
 */
import { getRouteApi, useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { type ApiError, callApi } from "../../api/client.ts";
import { useChange } from "../../api/queries.ts";
import { may, useMe } from "../../app/me.ts";
import { Button } from "../../components/button.tsx";
import { ConfirmDialog, FormDialog } from "../../components/dialog.tsx";
import { Menu, type MenuAction } from "../../components/menu.tsx";
import { OnceDialog } from "../../components/once-dialog.tsx";
import { useToast } from "../../components/toasts.tsx";
import type { PersonDialog } from "../../terms/person-terms.ts";
import { EditPerson } from "./edit-person.tsx";
import { BLOCK_LOSS, DELETE_LOSS, lettingIn, usePutPerson } from "./people-actions.tsx";
import { nameOf, type User } from "./person-words.ts";

const route = getRouteApi("/people/$userId");

/** The dialog that the URL names, and a function that opens another one, or closes it with null. */
export function usePersonDialog(): readonly [
  PersonDialog | undefined,
  (dialog: PersonDialog | null) => void,
] {
  const { do: open } = route.useSearch();
  const navigate = route.useNavigate();
  return [open, (dialog) => void navigate({ search: dialog === null ? {} : { do: dialog }, replace: true })];
}

export function PersonActions({ user }: { readonly user: User }) {
  const me = useMe();
  const [open, setOpen] = usePersonDialog();
  const put = usePutPerson();
  const tell = useToast();
  const [isBusy, setIsBusy] = useState(false);
  const canChange = may(me, "users", "update") && (user.role !== "owner" || me.role === "owner");
  if (!canChange) return null;
  const isOut = user.pending_approval || user.is_blocked;
  const letIn = async (): Promise<void> => {
    setIsBusy(true);
    await put(user, lettingIn(user)).then(
      () => tell(`${nameOf(user)} may sign in.`),
      (cause: ApiError) => tell(cause.message),
    );
    setIsBusy(false);
  };
  return (
    <>
      {isOut && !user.is_current ? (
        <Button weight="primary" busy={isBusy} onClick={() => void letIn()}>
          {user.pending_approval ? "Approve" : "Let in again"}
        </Button>
      ) : null}
      <Button onClick={() => setOpen("edit")}>Edit</Button>
      {user.is_current ? null : (
        <Menu trigger={<Button>Actions</Button>} actions={actionsOf(user, setOpen)} />
      )}
      {open === "edit" ? <EditPerson user={user} onClose={() => setOpen(null)} /> : null}
      {user.is_current ? null : <Dialogs user={user} open={open} onClose={() => setOpen(null)} />}
    </>
  );
}

function actionsOf(user: User, open: (dialog: PersonDialog) => void): readonly (MenuAction | null)[] {
  const isInvited = user.status === "invited";
  return [
    ...(user.is_service_user
      ? []
      : [
          {
            label: isInvited ? "New invitation link" : "Link to reset the password",
            onSelect: () => open("reset"),
          },
          null,
        ]),
    ...(user.is_blocked ? [] : [{ label: "Block", danger: true, onSelect: () => open("block") }]),
    { label: isInvited ? "Withdraw the invitation" : "Delete", danger: true, onSelect: () => open("delete") },
  ];
}

interface DialogsProps {
  readonly user: User;
  readonly open: PersonDialog | undefined;
  readonly onClose: () => void;
}

function Dialogs({ user, open, onClose }: DialogsProps) {
  const put = usePutPerson();
  const remove = useChange("DELETE /api/users/:userId", ["my", "groups", "peers", "policy"]);
  const navigate = useNavigate();
  const tell = useToast();
  const name = nameOf(user);
  const isInvited = user.status === "invited";
  const removeUser = async (): Promise<void> => {
    await remove.mutateAsync({ params: { userId: user.id } });
    tell(isInvited ? `The invitation of ${name} was withdrawn.` : `${name} was deleted.`);
    await navigate({ to: "/people" });
  };
  return (
    <>
      <PasswordLink user={user} open={open === "reset"} onClose={onClose} />
      <ConfirmDialog
        open={open === "block"}
        onOpenChange={onClose}
        title={`Shut ${name} out?`}
        verb="Block"
        onConfirm={async () => {
          await put(user, { is_blocked: true });
          tell(`${name} is shut out.`);
        }}
      >
        <p>{BLOCK_LOSS} You can let them in again.</p>
      </ConfirmDialog>
      <ConfirmDialog
        open={open === "delete"}
        onOpenChange={onClose}
        title={isInvited ? `Withdraw the invitation of ${name}?` : `Delete ${name}?`}
        verb={isInvited ? "Withdraw" : "Delete"}
        onConfirm={removeUser}
      >
        <p>
          {isInvited ? "Its link works no more, and the person is not in the list any longer." : DELETE_LOSS}
        </p>
      </ConfirmDialog>
    </>
  );
}

interface PasswordLinkProps {
  readonly user: User;
  readonly open: boolean;
  readonly onClose: () => void;
}

/** Makes a link for a new invitation or a password reset, and shows it once. */
function PasswordLink({ user, open, onClose }: PasswordLinkProps) {
  const [link, setLink] = useState<string | null>(null);
  const isInvited = user.status === "invited";
  const params = { userId: user.id };
  const make = async (): Promise<void> => {
    const made = isInvited
      ? await callApi("POST /api/users/:userId/invite", { params })
      : await callApi("POST /api/users/:userId/password-reset", { params });
    setLink(made.link);
  };
  return (
    <>
      <FormDialog
        open={open && link === null}
        onOpenChange={onClose}
        title={isInvited ? `A new invitation for ${nameOf(user)}` : `Reset the password of ${nameOf(user)}`}
        about={
          isInvited
            ? "You get a new link to send to them. The one before works no more."
            : "You get a link to send to them, by which they choose another password. Theirs works until then."
        }
        submit="Make the link"
        onSubmit={make}
      >
        {null}
      </FormDialog>
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
