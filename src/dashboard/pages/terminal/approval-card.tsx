/**
 * A terminal that needs an approval: the request, its reason, and the wait for the decision.
 *
 * @module
 */
import { useState } from "react";
import type { AccessRequest } from "../../../wire/access-request.ts";
import { Button } from "../../components/button.tsx";
import { Card, Facts } from "../../components/card.tsx";
import { CopyLine } from "../../components/copy-button.tsx";
import { TextField } from "../../components/field.tsx";
import { Time } from "../../components/time.tsx";
import { decidersOf } from "../../terminal/approval-wait.ts";

const REASON_CHARS = { least: 3, most: 256 };

interface ApprovalCardProps {
  /** `user@machine`. */
  readonly title: string;
  /** Null before the request is made. */
  readonly request: AccessRequest | null;
  readonly problem: string | null;
  onAsk(reason: string): Promise<void>;
  onCancel(): void;
}

export function ApprovalCard({ title, request, problem, onAsk, onCancel }: ApprovalCardProps) {
  return (
    <Card
      title={request === null ? "This access needs an approval" : "Waiting for approval"}
      className="max-w-xl"
    >
      {request === null ? (
        <AskForm title={title} problem={problem} onAsk={onAsk} onCancel={onCancel} />
      ) : (
        <Waiting title={title} request={request} onCancel={onCancel} />
      )}
    </Card>
  );
}

function AskForm({ title, problem, onAsk, onCancel }: Omit<ApprovalCardProps, "request">) {
  const [reason, setReason] = useState("");
  const [isBusy, setIsBusy] = useState(false);
  const length = reason.trim().length;
  return (
    <form
      className="flex flex-col gap-4"
      onSubmit={(event) => {
        event.preventDefault();
        setIsBusy(true);
        void onAsk(reason.trim()).finally(() => setIsBusy(false));
      }}
    >
      <p>
        Someone else has to approve a connection to <strong>{title}</strong>. It opens here by itself once
        they do.
      </p>
      <TextField
        label="Reason"
        hint="The approver reads it. Optional."
        value={reason}
        onValue={setReason}
        maxLength={REASON_CHARS.most}
        problem={problem}
      />
      <div className="flex flex-wrap gap-2">
        <Button
          type="submit"
          weight="primary"
          busy={isBusy}
          disabled={length > 0 && length < REASON_CHARS.least}
        >
          Ask for approval
        </Button>
        <Button onClick={onCancel}>Cancel</Button>
      </div>
    </form>
  );
}

interface WaitingProps {
  readonly title: string;
  readonly request: AccessRequest;
  onCancel(): void;
}

function Waiting({ title, request, onCancel }: WaitingProps) {
  return (
    <div className="flex flex-col gap-4">
      <p role="status">The terminal opens here as soon as it is approved, by {decidersOf(request)}.</p>
      <Facts
        facts={[
          ["Access", title],
          ["Reason", request.reason === "" ? null : request.reason],
          ["Open until", <Time key="until" iso={request.waits_until} />],
        ]}
      />
      <CopyLine label="Copy the link for the approver" text={request.url} />
      <div>
        <Button onClick={onCancel}>Withdraw the request</Button>
      </div>
    </div>
  );
}
