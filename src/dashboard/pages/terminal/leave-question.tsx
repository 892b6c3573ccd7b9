/**
 * Asks before the page of an open terminal is left.
 *
 * @module
 */
import { useBlocker } from "@tanstack/react-router";
import { ConfirmDialog } from "../../components/dialog.tsx";

interface LeaveQuestionProps {
  /** `deploy@web1`. */
  readonly title: string;
  /** Whether there is a connection to lose. */
  readonly isOpen: boolean;
}

/** Of a tab that is closed or loaded anew, the browser itself asks. */
export function LeaveQuestion({ title, isOpen }: LeaveQuestionProps) {
  const { status, proceed, reset } = useBlocker({
    shouldBlockFn: () => isOpen,
    enableBeforeUnload: () => isOpen,
    withResolver: true,
  });
  return (
    <ConfirmDialog
      open={status === "blocked"}
      onOpenChange={() => reset?.()}
      title={`Leave ${title}?`}
      verb="Leave"
      onConfirm={async () => proceed?.()}
    >
      <p>The connection ends, and so does everything that runs in its shells.</p>
    </ConfirmDialog>
  );
}
