/**
 * Creates a token: its purpose and lifetime. The token is then shown once.
 *
 * The draft is kept in this tab, because creating a token takes a fresh sign-in.
 *
 * @module
 */
import { useState } from "react";
import { useChange } from "../../api/queries.ts";
import { useDraft } from "../../browser/draft.ts";
import { CardChoiceField, SegmentField } from "../../components/choice-field.tsx";
import { FormDialog } from "../../components/dialog.tsx";
import { TextField } from "../../components/field.tsx";
import { OnceDialog } from "../../components/once-dialog.tsx";
import { daysOf, daysProblem } from "./token-days.ts";

/** The user who owns the tokens. */
export interface TokensOf {
  readonly id: string;
  readonly role: string;
  readonly is_current: boolean;
  readonly is_service_user: boolean;
}

interface Draft {
  readonly name: string;
  readonly scope: "api" | "ssh" | "dangerous";
  /** One of `LASTS`, or `other`. */
  readonly lasts: string;
  readonly days: string;
}

const UNNAMED: Draft = { name: "", scope: "api", lasts: "30", days: "" };
const LASTS = [
  { value: "7", label: "7 days" },
  { value: "30", label: "30 days" },
  { value: "90", label: "90 days" },
  { value: "365", label: "1 year" },
  { value: "other", label: "Other" },
];
const API = {
  value: "api",
  label: "API",
  about: "The REST API with its role, without what takes a fresh sign-in: qf, Terraform, scripts.",
} as const;
const DANGEROUS = {
  value: "dangerous",
  label: "API, dangerous",
  about: "Also what takes a fresh sign-in: tokens, roles, streams. Whoever steals it can stay.",
} as const;
const SSH = {
  value: "ssh",
  label: "SSH",
  about: "Signs qf ssh in where nobody is there, and opens nothing else.",
} as const;
const SCOPES = [API, DANGEROUS] as const;
const SERVICE_SCOPES = [API, SSH, DANGEROUS] as const;

interface NewTokenProps {
  readonly user: TokensOf;
  readonly isOpen: boolean;
  readonly onClose: () => void;
}

export function NewToken({ user, isOpen, onClose }: NewTokenProps) {
  const [token, setToken] = useState<string | null>(null);
  return (
    <>
      {isOpen && token === null ? <TokenForm user={user} onClose={onClose} onToken={setToken} /> : null}
      <OnceDialog
        text={token}
        onClose={() => setToken(null)}
        title="Copy the token now"
        about="It is not shown again. Who has it acts in its name, so keep it like a password."
        copy="Copy the token"
      />
    </>
  );
}

interface TokenFormProps extends Pick<NewTokenProps, "user" | "onClose"> {
  readonly onToken: (token: string) => void;
}

function TokenForm({ user, onClose, onToken }: TokenFormProps) {
  const [draft, setDraft] = useDraft<Draft>(`qf-token:${user.id}`);
  const now = draft ?? UNNAMED;
  const put = (part: Partial<Draft>): void => setDraft({ ...now, ...part });
  const create = useChange("POST /api/users/:userId/tokens");
  const days = daysOf(now.lasts, now.days);
  const close = (): void => {
    setDraft(null);
    onClose();
  };
  const submit = async (): Promise<void> => {
    if (days === null) return;
    const body = { name: now.name.trim(), expires_in: days, scope: now.scope };
    const made = await create.mutateAsync({ params: { userId: user.id }, body });
    onToken(made.plain_token);
  };
  return (
    <FormDialog
      open
      onOpenChange={close}
      title="New token"
      submit="Make the token"
      disabled={now.name.trim() === "" || days === null}
      onSubmit={submit}
    >
      <TextField
        label="Name"
        hint="Where it is used, so that you know it later."
        value={now.name}
        onValue={(name) => put({ name })}
        maxLength={256}
        placeholder="CI of the billing service"
        autoFocus
      />
      <CardChoiceField
        label="For"
        value={now.scope}
        onValue={(scope) => put({ scope })}
        choices={user.is_service_user ? SERVICE_SCOPES : SCOPES}
      />
      <SegmentField
        label="Ends after"
        value={now.lasts}
        onValue={(lasts) => put({ lasts })}
        choices={LASTS}
      />
      {now.lasts === "other" ? (
        <TextField
          label="Days"
          hint="From 1 to 365."
          inputMode="numeric"
          value={now.days}
          onValue={(text) => put({ days: text })}
          problem={daysProblem(now.days)}
          className="max-w-32"
        />
      ) : null}
    </FormDialog>
  );
}
