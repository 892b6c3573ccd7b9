/**
 * Confirms a one-click policy change in a dialog that shows its difference first.
 *
 * @module
 */

import { ApiError } from "../../api/client.ts";
import { ConfirmDialog } from "../../components/dialog.tsx";
import { FailureNotice } from "../../components/notice.tsx";
import { useToast } from "../../components/toasts.tsx";
import { sumOf } from "./difference-sum.ts";
import { PolicyDifference } from "./policy-difference.tsx";
import type { File } from "./policy-draft.ts";
import { useApply, useDifference } from "./use-difference.tsx";

export interface AskedChange {
  readonly title: string;
  readonly verb: string;
  /** Message shown once it is applied. */
  readonly done: string;
  readonly file: File;
}

interface PolicyChangeProps {
  /** Null if the dialog is closed. */
  readonly change: AskedChange | null;
  readonly onClose: () => void;
}

export function PolicyChange({ change, onClose }: PolicyChangeProps) {
  const difference = useDifference(change?.file ?? null);
  const apply = useApply();
  const tell = useToast();
  const { data } = difference;
  const run = async (): Promise<void> => {
    if (change === null || data === undefined) throw new ApiError("Its difference is not known yet.", WAIT);
    await apply.run(change.file, data, { onDone: () => tell(change.done), isThrown: true });
  };
  return (
    <ConfirmDialog
      open={change !== null}
      onOpenChange={onClose}
      title={change?.title ?? ""}
      verb={change?.verb ?? ""}
      onConfirm={run}
      disabled={data === undefined}
    >
      {data === undefined ? (
        <p className="text-soft">Looking at what changes…</p>
      ) : (
        <>
          <p className="font-medium">{capital(sumOf(data))}.</p>
          <PolicyDifference diff={data} />
        </>
      )}
      {difference.error === null ? null : <FailureNotice error={difference.error} />}
    </ConfirmDialog>
  );
}

const WAIT = { status: 0, code: "ERR_UNREACHABLE", hint: "Wait a moment.", requestId: null };

function capital(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}
