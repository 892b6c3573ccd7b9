/**
 * The first step: the name of the organisation.
 *
 * @module
 */
import { useNavigate } from "@tanstack/react-router";
import { type FormEvent, useState } from "react";
import { useChange } from "../../api/queries.ts";
import { Button } from "../../components/button.tsx";
import { TextField } from "../../components/field.tsx";
import { FailureNotice } from "../../components/notice.tsx";
import type { Account } from "./use-steps.tsx";

export function NameStep({ account }: { readonly account: Account }) {
  const [name, setName] = useState(account.settings.organization_name ?? "");
  const save = useChange("PUT /api/accounts/:accountId");
  const navigate = useNavigate();
  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    const settings = { ...account.settings, organization_name: name.trim() };
    const done = await save
      .mutateAsync({ params: { accountId: account.id }, body: { settings } })
      .catch(() => null);
    if (done !== null) await navigate({ to: "/start", search: { step: "sign-in" } });
  };
  return (
    <form onSubmit={(event) => void submit(event)} className="flex flex-col gap-4">
      <TextField
        label="Name"
        hint="Shown at the top of these pages."
        value={name}
        onValue={setName}
        maxLength={256}
        autoFocus
        autoComplete="organization"
      />
      {save.isError ? <FailureNotice error={save.error} /> : null}
      <div>
        <Button type="submit" weight="primary" busy={save.isPending} disabled={name.trim() === ""}>
          Save and go on
        </Button>
      </div>
    </form>
  );
}
