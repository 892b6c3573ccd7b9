/**
 * The form of one policy and, beside it, the difference that saving makes.
 *
 * @module
 */
import { useNavigate } from "@tanstack/react-router";
import { useMemo } from "react";
import { Button } from "../../components/button.tsx";
import { Card } from "../../components/card.tsx";
import { SwitchField, TextField } from "../../components/field.tsx";
import { NamesField } from "../../components/names-field.tsx";
import { Note } from "../../components/notice.tsx";
import { useToast } from "../../components/toasts.tsx";
import { type FieldProblems, problemsOf } from "./field-problems.ts";
import { PolicyConflict } from "./policy-conflict.tsx";
import {
  type File,
  type FilePolicy,
  fileWith,
  isEdited,
  isSame,
  type PolicyDraft,
  policyOf,
  withField,
} from "./policy-draft.ts";
import { PolicySave } from "./policy-save.tsx";
import { useCanChange } from "./policy-source.tsx";
import { RuleList } from "./rule-list.tsx";
import type { Choices } from "./rule-part.ts";
import { useApply, useDifference } from "./use-difference.tsx";

interface PolicyEditorProps {
  readonly file: File;
  /** Index of the policy in the file; -1 if absent. */
  readonly place: number;
  /** The policy as the file has it now. Null if absent. */
  readonly current: FilePolicy | null;
  readonly policyId: string | null;
  readonly draft: PolicyDraft;
  /** Whether the draft is kept in this tab, which begins with the first edit. */
  readonly isStored: boolean;
  /** Whether a new draft already says something, so that its difference is shown at once. */
  readonly isSeeded: boolean;
  /** Null discards the draft. */
  readonly onDraft: (draft: PolicyDraft | null) => void;
  readonly choices: Choices;
}

export function PolicyEditor(props: PolicyEditorProps) {
  const { file, place, current, policyId, draft, isStored, isSeeded, onDraft } = props;
  const tell = useToast();
  const navigate = useNavigate();
  const canSave = useCanChange();
  const apply = useApply();
  const isOlder = isStored && draft.base !== null && current !== null && !isSame(draft.base, current);
  // The user's own save changes `current` as well.
  const hasMoved = isOlder && !apply.isPending && !isSame(policyOf(draft), current);
  const isGone = isStored && draft.base !== null && current === null;
  const edited = useMemo(() => {
    const id = policyId === null ? {} : { id: policyId };
    return isEdited(draft) && !hasMoved ? fileWith(file, { place, policy: policyOf(draft), ...id }) : null;
  }, [draft, file, place, policyId, hasMoved]);
  const isAsked = edited !== null && (isStored || isSeeded || draft.base !== null);
  const difference = useDifference(isAsked ? edited : null);
  const sentAt = place === -1 ? (file.policies?.length ?? 0) : place;
  const problems = problemsOf(difference.error, sentAt);
  const onSaved = (): void => {
    onDraft(null);
    tell(`${draft.fields.name} is in force.`);
    void navigate({ to: "/policies" });
  };
  return (
    <div className="grid grid-cols-1 items-start gap-5 xl:grid-cols-[minmax(0,1fr)_26rem]">
      <fieldset disabled={!canSave} className="flex min-w-0 flex-col gap-4">
        <legend className="sr-only">The policy</legend>
        {isStored ? <DraftNote onDiscard={() => onDraft(null)} isNew={draft.base === null} /> : null}
        {isGone ? <Note tone="warn">This policy was deleted meanwhile. Saving makes it anew.</Note> : null}
        {hasMoved && current !== null ? (
          <PolicyConflict draft={draft} current={current} onDraft={onDraft} />
        ) : null}
        <PolicyFields {...props} problems={problems} />
        <RuleList {...props} problems={problems} />
      </fieldset>
      <aside aria-label="What saving changes" className="xl:sticky xl:top-5">
        {isAsked && edited !== null ? (
          <PolicySave
            file={edited}
            difference={difference}
            problems={problems}
            apply={apply}
            canSave={canSave}
            onSaved={onSaved}
          />
        ) : (
          <Card title="What saving changes">
            <p className="text-soft">
              {hasMoved
                ? "Settle first what was changed meanwhile."
                : "Nothing yet. As you edit, who gains and who loses access is shown here."}
            </p>
          </Card>
        )}
      </aside>
    </div>
  );
}

function DraftNote({ onDiscard, isNew }: { readonly onDiscard: () => void; readonly isNew: boolean }) {
  return (
    <Note>
      <div className="flex flex-wrap items-center justify-between gap-2">
        <span>{isNew ? "A draft, not in force." : "A draft; what is in force is as before."}</span>
        <Button size="small" onClick={onDiscard}>
          Discard it
        </Button>
      </div>
    </Note>
  );
}

function PolicyFields({
  draft,
  onDraft,
  choices,
  problems,
}: PolicyEditorProps & { readonly problems: FieldProblems }) {
  const { fields } = draft;
  const set = <K extends keyof typeof fields>(name: K, value: (typeof fields)[K] | undefined): void =>
    onDraft({ ...draft, fields: withField(fields, name, value) });
  return (
    <Card>
      <div className="grid grid-cols-1 gap-4 sm:grid-cols-2">
        <TextField
          label="Name"
          value={fields.name}
          onValue={(name) => set("name", name)}
          maxLength={256}
          autoFocus={draft.base === null}
          problem={problems.policy.get("name") ?? null}
        />
        <TextField
          label="Description"
          value={fields.description ?? ""}
          onValue={(text) => set("description", text === "" ? undefined : text)}
          problem={problems.policy.get("description") ?? null}
        />
        <SwitchField
          label="In force"
          hint="Off: kept, and without effect."
          checked={fields.enabled !== false}
          onChecked={(enabled) => set("enabled", enabled ? undefined : false)}
        />
        {choices.postureChecks.length === 0 && !fields.source_posture_checks?.length ? null : (
          <NamesField
            label="Devices pass these checks"
            values={fields.source_posture_checks ?? []}
            onValues={(names) => set("source_posture_checks", names.length === 0 ? undefined : names)}
            choices={choices.postureChecks}
            add="Add a check"
            problem={problems.policy.get("source_posture_checks") ?? null}
          />
        )}
      </div>
      {problems.rest === null ? null : (
        <p role="alert" className="mt-4 text-bad">
          {problems.rest}
        </p>
      )}
    </Card>
  );
}
