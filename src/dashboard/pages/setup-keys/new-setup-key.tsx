/**
 * Creates a setup key for one or many machines, then shows it once, with the line to run.
 *
 * @module
 */
import { useState } from "react";
import { useChange } from "../../api/queries.ts";
import { useDraft } from "../../browser/draft.ts";
import { Button } from "../../components/button.tsx";
import { CardChoiceField } from "../../components/choice-field.tsx";
import { CopyLine } from "../../components/copy-button.tsx";
import { FormDialog } from "../../components/dialog.tsx";
import { SwitchField, TextField } from "../../components/field.tsx";
import { GroupNamesField } from "../../components/group-names-field.tsx";
import { LastsField } from "../../components/lasts-field.tsx";
import { OnceDialog } from "../../components/once-dialog.tsx";
import { problemAt } from "../../components/problem-at.ts";
import { joinLine } from "../machines/join-line.ts";
import { type KeyDraft, keyWriteOf, limitOf, NEW_KEY } from "./key-words.ts";

export function NewSetupKey() {
  const [isOpen, setIsOpen] = useState(false);
  const [key, setKey] = useState<string | null>(null);
  return (
    <>
      <Button onClick={() => setIsOpen(true)}>New setup key</Button>
      {isOpen ? <KeyForm onClose={() => setIsOpen(false)} onKey={setKey} /> : null}
      <OnceDialog
        text={key}
        onClose={() => setKey(null)}
        title="Copy the key now"
        about="It is not shown again. Who has it can add machines."
        copy="Copy the key"
      >
        <div>
          <p className="mb-1 font-medium">On a machine, as root</p>
          <CopyLine label="Copy the line" text={joinLine(key ?? "")} />
        </div>
      </OnceDialog>
    </>
  );
}

interface KeyFormProps {
  readonly onClose: () => void;
  readonly onKey: (key: string) => void;
}

const TYPES = [
  { value: "one-off", label: "For one machine", about: "It is used up once a machine has joined with it." },
  { value: "reusable", label: "For many machines", about: "For images, templates and automation." },
] as const;
const PLACES = ["name", "usage_limit", "expires_in", "auto_groups"];
const LASTS = [3_600, 86_400, 604_800, 2_592_000, 0] as const;

function KeyForm({ onClose, onKey }: KeyFormProps) {
  const [kept, setKept] = useDraft<KeyDraft>("qf-setup-key");
  const draft = kept ?? NEW_KEY;
  const put = (part: Partial<KeyDraft>): void => setKept({ ...draft, ...part });
  const create = useChange("POST /api/setup-keys");
  const body = keyWriteOf(draft);
  const close = (): void => {
    setKept(null);
    onClose();
  };
  const submit = async (): Promise<void> => {
    if (body !== null) onKey((await create.mutateAsync({ body })).key);
  };
  return (
    <FormDialog
      open
      onOpenChange={close}
      title="New setup key"
      submit="Make the key"
      problems={PLACES.map((place) => problemAt(create.error, place))}
      disabled={body === null}
      onSubmit={submit}
    >
      <TextField
        label="Name"
        value={draft.name}
        onValue={(name) => put({ name })}
        maxLength={256}
        problem={problemAt(create.error, "name")}
        placeholder="Web servers in Frankfurt"
        autoFocus
      />
      <CardChoiceField label="For" value={draft.type} onValue={(type) => put({ type })} choices={TYPES} />
      {draft.type === "reusable" ? <Limit draft={draft} put={put} error={create.error} /> : null}
      <LastsField
        label="Ends after"
        choices={LASTS}
        seconds={draft.seconds}
        onSeconds={(seconds) => put({ seconds })}
        problem={problemAt(create.error, "expires_in")}
      />
      <GroupNamesField
        label="Groups"
        hint="Machines that join with it are in these at once."
        ids={draft.groups}
        onIds={(groups) => put({ groups })}
        problem={problemAt(create.error, "auto_groups")}
      />
      <SwitchField
        label="Machines are temporary"
        hint="One that is away for long leaves the network by itself."
        checked={draft.ephemeral}
        onChecked={(ephemeral) => put({ ephemeral })}
      />
    </FormDialog>
  );
}

interface LimitProps {
  readonly draft: KeyDraft;
  readonly put: (part: Partial<KeyDraft>) => void;
  readonly error: unknown;
}

function Limit({ draft, put, error }: LimitProps) {
  const isWrong = limitOf(draft.limit) === null;
  return (
    <TextField
      label="How many machines"
      hint="Empty: no limit."
      inputMode="numeric"
      value={draft.limit}
      onValue={(limit) => put({ limit })}
      problem={isWrong ? "Write a whole number from 1 to 1,000,000." : problemAt(error, "usage_limit")}
      className="max-w-40"
    />
  );
}
