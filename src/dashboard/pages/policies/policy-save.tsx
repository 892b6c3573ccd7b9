/**
 * The panel that shows what saving changes, kept in step with the form.
 *
 * @module
 */
import { useState } from "react";
import { ApiError } from "../../api/client.ts";
import { Button } from "../../components/button.tsx";
import { Card } from "../../components/card.tsx";
import { ConfirmDialog } from "../../components/dialog.tsx";
import { FailureNotice, Note } from "../../components/notice.tsx";
import { sumOf } from "./difference-sum.ts";
import type { FieldProblems } from "./field-problems.ts";
import { PolicyDifference } from "./policy-difference.tsx";
import type { File } from "./policy-draft.ts";
import type { Apply, AskedDifference, Difference } from "./use-difference.tsx";

interface PolicySaveProps {
  readonly file: File;
  readonly difference: AskedDifference;
  readonly problems: FieldProblems;
  readonly apply: Apply;
  readonly canSave: boolean;
  readonly onSaved: () => void;
}

export function PolicySave({ file, difference, problems, apply, canSave, onSaved }: PolicySaveProps) {
  const [isForcing, setIsForcing] = useState(false);
  const { data, shown, error } = difference;
  const isAtFields = problems.policy.size + problems.rules.size > 0 || problems.rest !== null;
  const fails = (data?.tests.failed ?? 0) > 0;
  const save = async (force = false): Promise<void> => {
    if (data !== undefined) await apply.run(file, data, { force, onDone: onSaved });
  };
  const hasMoved = apply.error instanceof ApiError && apply.error.status === 409;
  return (
    <Card title="What saving changes">
      <div className="flex flex-col gap-4">
        <p role="status" className="min-h-5.5 text-soft">
          {summary(data, error, isAtFields)}
        </p>
        {error !== null && !isAtFields ? (
          <FailureNotice error={error} retry={() => void difference.refetch()} />
        ) : null}
        {hasMoved ? (
          <Note tone="warn">
            The account was changed meanwhile. Your edit is kept; this is what it changes now.
          </Note>
        ) : apply.error !== null ? (
          <FailureNotice error={apply.error} />
        ) : null}
        {shown === undefined ? null : (
          <div aria-busy={data === undefined} className="max-h-[55vh] overflow-y-auto max-xl:max-h-none">
            <PolicyDifference diff={shown} />
          </div>
        )}
        {canSave ? (
          <div className="flex flex-wrap gap-2">
            <Button
              weight="primary"
              busy={apply.isPending}
              disabled={data === undefined || data.same || fails}
              onClick={() => void save()}
            >
              Save
            </Button>
            {fails ? <Button onClick={() => setIsForcing(true)}>Save although tests fail</Button> : null}
          </div>
        ) : null}
        <ConfirmDialog
          open={isForcing}
          onOpenChange={setIsForcing}
          title="Save although tests fail?"
          verb="Save it"
          onConfirm={() => save(true)}
        >
          <p>The tests were written so that this would not happen. That it was forced is in the audit log.</p>
        </ConfirmDialog>
      </div>
    </Card>
  );
}

function summary(data: Difference | undefined, error: unknown, isAtFields: boolean): string {
  if (isAtFields) return "Some fields have to be mended first.";
  if (data !== undefined) {
    const text = sumOf(data);
    return `${text.slice(0, 1).toUpperCase()}${text.slice(1)}.`;
  }
  return error === null ? "Looking at what changes…" : "";
}
