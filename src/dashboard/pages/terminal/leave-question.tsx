/**
 * Asks before the user leaves the page of an open terminal.
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

/** The browser itself asks when the tab is closed or reloaded. */
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
