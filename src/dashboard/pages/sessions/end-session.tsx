/**
 * Ends a session: a button, and a dialog that says what ends and asks for a reason.
 *
 * @module
 */
import { useState } from "react";
import { useChange } from "../../api/queries.ts";
import { useMe } from "../../app/me.ts";
import { Button } from "../../components/button.tsx";
import { FormDialog } from "../../components/dialog.tsx";
import { TextField } from "../../components/field.tsx";
import { useToast } from "../../components/toasts.tsx";
import type { Session } from "./session-words.ts";

const REASON_MAX = 160;

interface EndSessionProps {
  readonly session: Session;
  readonly size?: "small" | "normal";
}

/** Shows nothing if the user may not end the session, or it has ended. */
export function EndSession({ session, size = "small" }: EndSessionProps) {
  const [asks, setAsks] = useState(false);
  const [reason, setReason] = useState("");
  const me = useMe();
  const tell = useToast();
  const end = useChange("POST /api/sessions/:sessionId/kill", ["events"]);
  if (!session.may_end) return null;
  const { id, user, machine, local_user } = session;
  const whose = session.user_id === me.id ? "your session" : `the session of ${user}`;
  const submit = async (): Promise<void> => {
    const typed = reason.trim();
    const body = typed === "" ? {} : { reason: typed };
    const { state } = await end.mutateAsync({ params: { sessionId: id }, body });
    tell(state === "ended" ? `Ended ${whose} on ${machine}.` : `${machine} has the order to end it.`);
    setReason("");
  };
  return (
    <>
      <Button size={size} onClick={() => setAsks(true)} aria-label={`End ${whose} on ${machine}`}>
        End
      </Button>
      <FormDialog
        open={asks}
        onOpenChange={setAsks}
        title={`End ${whose}?`}
        about={
          `Everything that runs in it as ${local_user} on ${machine} stops at once. The person reads who ` +
          "ended it, and the reason, in their terminal. They may come back."
        }
        submit="End session"
        danger
        onSubmit={submit}
      >
        <TextField
          label="Reason"
          hint="One line, shown to the person and kept in the audit log."
          value={reason}
          onValue={setReason}
          maxLength={REASON_MAX}
          autoFocus
        />
      </FormDialog>
    </>
  );
}
