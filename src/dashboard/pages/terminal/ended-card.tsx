/**
 * The end of a terminal, or why it did not open: the message, a hint, and a button to go on.
 *
 * @module
 */
import { useState } from "react";
import { Button } from "../../components/button.tsx";
import { TextField } from "../../components/field.tsx";
import type { Ending } from "../../terminal/terminal-session.ts";

interface EndedCardProps {
  readonly ending: Ending;
  /** Called with the reason that the user typed, or null if none was asked for. */
  onAgain(reason: string | null): void;
}

export function EndedCard({ ending, onAgain }: EndedCardProps) {
  const [reason, setReason] = useState("");
  const { message, hint, receipt, wantsReason } = ending;
  return (
    <div
      role="alert"
      className="flex flex-wrap items-end justify-between gap-x-6 gap-y-3 rounded-md border border-warn bg-warn-ground p-4"
    >
      <div className="min-w-0">
        <p className="whitespace-pre-line font-medium">{message}</p>
        {hint === null ? null : <p className="mt-1">{hint}</p>}
        {receipt === null ? null : <p className="mt-1 text-soft text-xs">Receipt {receipt}</p>}
      </div>
      <form
        className="flex flex-wrap items-end gap-3"
        onSubmit={(event) => {
          event.preventDefault();
          onAgain(wantsReason ? reason.trim() : null);
        }}
      >
        {wantsReason ? (
          <div className="min-w-64 flex-1">
            <TextField label="Reason" value={reason} onValue={setReason} maxLength={256} />
          </div>
        ) : null}
        <Button type="submit" weight="primary" disabled={wantsReason && reason.trim().length < 3}>
          {wantsReason ? "Go on" : "Connect again"}
        </Button>
      </form>
    </div>
  );
}
