/**
 * Approves, denies or ends a request: buttons with their dialogs.
 *
 * @module
 */
import { useState } from "react";
import { useChange } from "../../api/queries.ts";
import { Button } from "../../components/button.tsx";
import { ConfirmDialog, FormDialog } from "../../components/dialog.tsx";
import { DurationField } from "../../components/duration-field.tsx";
import { durationText } from "../../components/durations.ts";
import { TextField } from "../../components/field.tsx";
import { FreshSignIn } from "../../components/fresh-sign-in.tsx";
import { wantsFreshSignIn } from "../../components/fresh-sign-in-note.tsx";
import { absoluteTime } from "../../components/moments.ts";
import { useToast } from "../../components/toasts.tsx";
import type { RequestTerms } from "../../terms/request-terms.ts";
import { type Request, subjectText } from "./request-words.ts";

const NOTE_MAX = 256;

interface DecideProps {
  readonly request: Request;
  /** The dialog that starts open. */
  readonly begin?: RequestTerms["do"];
}

/** Shows nothing if the user may neither decide nor end the request. */
export function DecideRequest({ request, begin }: DecideProps) {
  const [open, setOpen] = useState<"approve" | "deny" | "end" | "sign-in" | null>(
    begin !== undefined && request.may_decide ? begin : null,
  );
  const [wanted, setWanted] = useState<"approve" | "deny">("approve");
  const shut = (isOpen: boolean): void => {
    if (!isOpen) setOpen((now) => (now === "sign-in" ? now : null));
  };
  const lacksSignIn = (decision: "approve" | "deny"): void => {
    setWanted(decision);
    setOpen("sign-in");
  };
  const common = { request, onOpenChange: shut, lacksSignIn };
  return (
    <>
      {request.may_decide ? (
        <>
          <Button weight="primary" onClick={() => setOpen("approve")}>
            Approve
          </Button>
          <Button onClick={() => setOpen("deny")}>Deny</Button>
        </>
      ) : null}
      {request.may_end ? (
        <Button onClick={() => setOpen("end")}>{request.state === "waiting" ? "Take back" : "End"}</Button>
      ) : null}
      <Approve {...common} open={open === "approve"} />
      <Deny {...common} open={open === "deny"} />
      <End request={request} open={open === "end"} onOpenChange={shut} />
      <FreshSignIn
        open={open === "sign-in"}
        onOpenChange={(isOpen) => setOpen(isOpen ? "sign-in" : null)}
        what={`to ${wanted} a request`}
        to={`/requests/${request.id}?do=${wanted}`}
      />
    </>
  );
}

interface DialogProps {
  readonly request: Request;
  readonly open: boolean;
  readonly onOpenChange: (open: boolean) => void;
  readonly lacksSignIn: (decision: "approve" | "deny") => void;
}

function Approve({ request, open, onOpenChange, lacksSignIn }: DialogProps) {
  const [seconds, setSeconds] = useState<number | undefined>(request.seconds_max);
  const tell = useToast();
  const decide = useChange("POST /api/access/requests/:requestId/decision", ["events", "users"]);
  const { id, digest, user, seconds_max } = request;
  const isLonger = seconds !== undefined && seconds > seconds_max;
  const submit = async (): Promise<void> => {
    const body = { decision: "approve" as const, digest, ...(seconds === undefined ? {} : { seconds }) };
    try {
      await decide.mutateAsync({ params: { requestId: id }, body });
      tell(`Approved ${user.name} for ${subjectText(request)}.`);
    } catch (error) {
      if (!wantsFreshSignIn(error)) throw error;
      lacksSignIn("approve");
    }
  };
  return (
    <FormDialog
      open={open}
      onOpenChange={onOpenChange}
      title="Approve this request?"
      about={
        `${user.name} gets ${subjectText(request)}${deviceText(request)}. It ends by itself. ` +
        `Reason given: ${request.reason}`
      }
      submit="Approve"
      disabled={isLonger}
      onSubmit={submit}
    >
      <DurationField
        label="For"
        hint={`${endText(seconds)}At most ${durationText(seconds_max)}. Less is possible, such as 30m.`}
        problem={isLonger ? `At most ${durationText(seconds_max)}.` : null}
        seconds={seconds}
        onSeconds={setSeconds}
      />
    </FormDialog>
  );
}

/** The end by the clock, if it were approved now. */
function endText(seconds: number | undefined): string {
  if (seconds === undefined) return "";
  return `From now on, so until ${absoluteTime(new Date(Date.now() + seconds * 1_000).toISOString())}. `;
}

function Deny({ request, open, onOpenChange, lacksSignIn }: DialogProps) {
  const [note, setNote] = useState("");
  const tell = useToast();
  const decide = useChange("POST /api/access/requests/:requestId/decision", ["events"]);
  const { id, digest, user } = request;
  const submit = async (): Promise<void> => {
    const typed = note.trim();
    const body = { decision: "deny" as const, digest, ...(typed === "" ? {} : { note: typed }) };
    try {
      await decide.mutateAsync({ params: { requestId: id }, body });
      tell(`Denied ${user.name} ${subjectText(request)}.`);
    } catch (error) {
      if (!wantsFreshSignIn(error)) throw error;
      lacksSignIn("deny");
    }
  };
  return (
    <FormDialog
      open={open}
      onOpenChange={onOpenChange}
      title="Deny this request?"
      about={`${user.name} does not get ${subjectText(request)}.`}
      submit="Deny"
      danger
      onSubmit={submit}
    >
      <TextField
        label="Why"
        hint="One line, which they read. May be left empty."
        value={note}
        onValue={setNote}
        maxLength={NOTE_MAX}
        autoFocus
      />
    </FormDialog>
  );
}

function End({ request, open, onOpenChange }: Omit<DialogProps, "lacksSignIn">) {
  const tell = useToast();
  const end = useChange("DELETE /api/access/requests/:requestId", ["events", "users", "my"]);
  const isWaiting = request.state === "waiting";
  return (
    <ConfirmDialog
      open={open}
      onOpenChange={onOpenChange}
      title={isWaiting ? "Take this request back?" : "End this access?"}
      verb={isWaiting ? "Take back" : "End access"}
      onConfirm={async () => {
        await end.mutateAsync({ params: { requestId: request.id } });
        tell(isWaiting ? "Taken back." : `Ended ${subjectText(request)}.`);
      }}
    >
      <p className="text-soft">
        {isWaiting
          ? "Nobody can decide about it any more. You may ask again."
          : "Connections that only it let in end at once, with everything that runs in them."}
      </p>
    </ConfirmDialog>
  );
}

function deviceText({ device }: Request): string {
  return device === null ? "" : `, from ${device.name} only`;
}
