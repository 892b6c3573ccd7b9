/**
 * Merges another user's save into the edit. If both changed the same rule, it shows both side by side, and
 * the user's edit is kept until they choose.
 *
 * @module
 */
import { useEffect } from "react";
import { Button } from "../../components/button.tsx";
import { Note } from "../../components/notice.tsx";
import { useToast } from "../../components/toasts.tsx";
import { draftOf, type FilePolicy, type PolicyDraft } from "./policy-draft.ts";
import { mergePolicy } from "./policy-merge.ts";
import { sentenceOf } from "./rule-sentence.ts";

interface PolicyConflictProps {
  readonly draft: PolicyDraft;
  readonly current: FilePolicy;
  readonly onDraft: (draft: PolicyDraft | null) => void;
}

export function PolicyConflict({ draft, current, onDraft }: PolicyConflictProps) {
  const tell = useToast();
  const { draft: merged, conflicts } = mergePolicy(draft, current);
  const fits = conflicts.length === 0;
  useEffect(() => {
    if (!fits) return;
    onDraft(merged);
    tell("This policy was changed meanwhile. Your edit was put over what is in force now.");
  }, [fits, JSON.stringify(current)]);
  if (fits) return null;
  return (
    <Note tone="warn">
      <h2 className="font-semibold text-base">This policy was changed meanwhile, in the same place</h2>
      <p className="mt-1">Your edit is kept. Choose which of the two to save.</p>
      <ul className="mt-3 flex flex-col gap-3">
        {conflicts.map(({ key, mine, theirs }) => (
          <li key={key} className="grid grid-cols-1 gap-3 sm:grid-cols-2">
            <Side
              title="In force now"
              text={theirs === null ? "This rule was deleted." : sentenceOf(theirs)}
            />
            <Side title="Yours" text={mine === null ? "You took this rule out." : sentenceOf(mine)} />
          </li>
        ))}
      </ul>
      <div className="mt-4 flex flex-wrap gap-2">
        <Button weight="primary" onClick={() => onDraft(merged)}>
          Keep mine
        </Button>
        <Button onClick={() => onDraft(draftOf(current))}>Take what is in force</Button>
      </div>
    </Note>
  );
}

function Side({ title, text }: { readonly title: string; readonly text: string }) {
  return (
    <div className="rounded-md border border-line bg-card p-3">
      <p className="text-soft text-xs">{title}</p>
      <p className="mt-1">{text}</p>
    </div>
  );
}
