/**
 * Changes the user's own password, on servers that store one.
 *
 * @module
 */
import { useState } from "react";
import { useChange } from "../../api/queries.ts";
import { type Me, useMe } from "../../app/me.ts";
import { Button } from "../../components/button.tsx";
import { Card } from "../../components/card.tsx";
import { FormDialog } from "../../components/dialog.tsx";
import { TextField } from "../../components/field.tsx";
import { problemAt } from "../../components/problem-at.ts";
import { useToast } from "../../components/toasts.tsx";

export function PasswordCard() {
  const me = useMe();
  const [isOpen, setIsOpen] = useState(false);
  return (
    <Card
      title="Password"
      actions={
        <Button size="small" onClick={() => setIsOpen(true)}>
          Change it
        </Button>
      }
    >
      <p className="text-soft">
        Of this server's own sign-in. People of another identity provider change theirs there.
      </p>
      {isOpen ? <PasswordForm me={me} onClose={() => setIsOpen(false)} /> : null}
    </Card>
  );
}

function PasswordForm({ me, onClose }: { readonly me: Me; readonly onClose: () => void }) {
  const [before, setBefore] = useState("");
  const [next, setNext] = useState("");
  const change = useChange("PUT /api/users/:userId/password");
  const tell = useToast();
  const submit = async (): Promise<void> => {
    const body = { old_password: before, new_password: next };
    await change.mutateAsync({ params: { userId: me.id }, body });
    tell("Your password is changed.");
  };
  const problem = problemAt(change.error, "new_password");
  return (
    <FormDialog
      open
      onOpenChange={onClose}
      title="Change your password"
      about="Every login of yours ends, on this computer and elsewhere. You sign in again with the new one."
      submit="Change it"
      problems={[problem]}
      disabled={before === "" || next === ""}
      onSubmit={submit}
    >
      <TextField
        label="The one that you have"
        type="password"
        autoComplete="current-password"
        value={before}
        onValue={setBefore}
        maxLength={4_096}
        autoFocus
      />
      <TextField
        label="The new one"
        type="password"
        autoComplete="new-password"
        value={next}
        onValue={setNext}
        maxLength={4_096}
        problem={problem}
      />
    </FormDialog>
  );
}
