/**
 * The account's policies as an editable file. It is applied only after its difference was shown.
 *
 * The text is kept in this tab, so a reload or a sign-in loses nothing.
 *
 * @module
 */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { type Answer, ApiError } from "../../api/client.ts";
import { reading, useChange } from "../../api/queries.ts";
import { readDraft, writeDraft } from "../../browser/draft.ts";
import { Button, ButtonLink } from "../../components/button.tsx";
import { CONTROL } from "../../components/field.tsx";
import { Loaded } from "../../components/loaded.tsx";
import { Empty, FailureNotice, Note } from "../../components/notice.tsx";
import { PageHeader } from "../../components/page-header.tsx";
import { useToast } from "../../components/toasts.tsx";
import { PolicyDifference } from "./policy-difference.tsx";
import { overrideFields } from "./policy-override.ts";
import { PolicySource, useCanChange } from "./policy-source.tsx";

type File = Answer<"GET /api/policy/file">;
type Diff = Answer<"POST /api/policy/diff">;

const ABOUT = "By names, with your comments. Nothing changes before you have seen what would.";
const DRAFT_KEY = "qf-policy-draft";

export function PolicyFilePage() {
  const file = useQuery({ ...reading("GET /api/policy/file"), refetchOnMount: "always" });
  return (
    <>
      <PageHeader
        title="Policies as a file"
        about={ABOUT}
        actions={<ButtonLink to="/policies">All policies</ButtonLink>}
      />
      <PolicySource />
      <Loaded query={file}>{(answer) => <Editor key={answer.version} file={answer} />}</Loaded>
    </>
  );
}

function Editor({ file }: { readonly file: File }) {
  const canApply = useCanChange();
  const { text, setText, discard, isDraft } = useDraft(file.text);
  const [plan, setPlan] = useState<{ readonly text: string; readonly diff: Diff } | null>(null);
  const ask = useChange("POST /api/policy/diff");
  const shown = plan?.text === text ? plan.diff : null;
  const look = async (): Promise<void> => {
    const diff = await ask.mutateAsync({ body: { text } }).catch(() => null);
    setPlan(diff === null ? null : { text, diff });
  };
  return (
    <div className="grid grid-cols-1 gap-4 xl:grid-cols-2">
      <div>
        {isDraft ? <DraftNote discard={discard} /> : null}
        <textarea
          aria-label="Policy file"
          value={text}
          onChange={(event) => setText(event.target.value)}
          readOnly={!canApply}
          spellCheck={false}
          rows={28}
          className={`${CONTROL} resize-y py-2 font-mono text-xs leading-5`}
        />
        <div className="mt-3 flex gap-2">
          <Button
            weight={shown === null ? "primary" : "secondary"}
            busy={ask.isPending}
            onClick={() => void look()}
          >
            Show what it changes
          </Button>
        </div>
        {ask.isError ? (
          <div className="mt-3">
            <FailureNotice error={ask.error} />
          </div>
        ) : null}
      </div>
      <div>
        {shown === null ? (
          <Empty title="No difference to show yet">
            What changes, and for whom, is shown here before it is applied.
          </Empty>
        ) : (
          <>
            <PolicyDifference diff={shown} />
            {canApply && !shown.same ? <Apply text={text} diff={shown} onDone={discard} /> : null}
          </>
        )}
      </div>
    </div>
  );
}

function DraftNote({ discard }: { readonly discard: () => void }) {
  return (
    <div className="mb-3">
      <Note>
        <span className="mr-3">This is your draft; it is not in force.</span>
        <Button size="small" onClick={discard}>
          Discard it
        </Button>
      </Note>
    </div>
  );
}

interface ApplyProps {
  readonly text: string;
  readonly diff: Diff;
  readonly onDone: () => void;
}

function Apply({ text, diff, onDone }: ApplyProps) {
  const apply = useChange("POST /api/policy/apply", ["policies", "groups", "my"]);
  const client = useQueryClient();
  const tell = useToast();
  const run = async (): Promise<void> => {
    const { version, digest } = diff;
    const done = await apply
      .mutateAsync({ body: { text, version, digest, ...overrideFields() } })
      .catch(() => null);
    if (done === null) return;
    onDone();
    await client.invalidateQueries({ queryKey: ["policy"] });
    tell("The policies are in force.");
  };
  const moved = apply.error instanceof ApiError && apply.error.status === 409;
  return (
    <div className="mt-4 flex flex-col gap-3">
      {apply.isError ? <FailureNotice error={apply.error} /> : null}
      {moved ? <Note>Your draft is kept. Show again what it changes, and look once more.</Note> : null}
      <div>
        <Button
          weight="primary"
          busy={apply.isPending}
          disabled={diff.tests.failed > 0}
          onClick={() => void run()}
        >
          {sumOf(diff)}
        </Button>
      </div>
    </div>
  );
}

/** The button's label, such as `Apply: 14 gained, 2 lost, 1 live connection ends`. */
function sumOf({ gained, lost, ends, tests }: Diff): string {
  if (tests.failed > 0) return `${tests.failed} of its tests fail`;
  const connections = ends.length === 1 ? "1 live connection ends" : `${ends.length} live connections end`;
  return `Apply: ${gained.total} gained, ${lost.total} lost, ${connections}`;
}

function useDraft(original: string) {
  const [text, setText] = useState(() => readDraft(DRAFT_KEY) ?? original);
  useEffect(() => {
    writeDraft(DRAFT_KEY, text === original ? null : text);
  }, [text, original]);
  return { text, setText, discard: () => setText(original), isDraft: text !== original };
}
