/**
 * Policies that are kept elsewhere, such as in git: the banner that says where, and changing them here all
 * the same, for a reason.
 *
 * @module
 */
import { Link } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import type { Answer } from "../../api/client.ts";
import { may, useMe } from "../../app/me.ts";
import { Button } from "../../components/button.tsx";
import { FormDialog } from "../../components/dialog.tsx";
import { TextField } from "../../components/field.tsx";
import { Note } from "../../components/notice.tsx";
import { Time } from "../../components/time.tsx";
import { setOverrideReason, useOverrideReason } from "./policy-override.ts";
import { usePolicyFile } from "./use-difference.tsx";

type Source = NonNullable<Answer<"GET /api/policy/file">["source"]>;

const REASON_MIN = 3;
const REASON_MAX = 256;

/** Whether these pages change policies now. False until it is known where the policies are kept. */
export function useCanChange(): boolean {
  const mayUpdate = may(useMe(), "policies", "update");
  const { data } = usePolicyFile();
  const reason = useOverrideReason();
  return mayUpdate && data !== undefined && (data.source === null || reason !== null);
}

/** Shows nothing for an account whose policies are kept here. */
export function PolicySource() {
  const me = useMe();
  const { data } = usePolicyFile();
  const source = data?.source ?? null;
  const isHere = data !== undefined && source === null;
  const reason = useOverrideReason();
  // Policies that are kept here again need no reason, and no later page may send a stale one.
  useEffect(() => {
    if (isHere) setOverrideReason(null);
  }, [isHere]);
  if (source === null) return null;
  return (
    <div className="mb-4">
      <SourceBanner
        source={source}
        reason={reason}
        onReason={may(me, "policies", "update") ? setOverrideReason : null}
      />
    </div>
  );
}

interface SourceBannerProps {
  readonly source: Source;
  /** Why policies are changed here now. Null: they are only shown. */
  readonly reason: string | null;
  /** Null if the user may not change policies at all. */
  readonly onReason: ((reason: string | null) => void) | null;
}

export function SourceBanner({ source, reason, onReason }: SourceBannerProps) {
  const [isAsking, setIsAsking] = useState(false);
  return (
    <Note tone={reason === null && source.differs_since === null ? "plain" : "warn"}>
      <div className="flex flex-wrap items-center justify-between gap-3">
        <div className="min-w-0 max-w-prose">
          <p>
            These policies are kept in <SourceName name={source.name} />
            {reason === null ? " and changed there. Here they are shown." : "."}
          </p>
          {reason === null ? null : (
            <p className="break-words">
              You change them here, because: <bdi>{reason}</bdi>
            </p>
          )}
          {source.differs_since === null ? null : (
            <p>
              They were changed here <Time iso={source.differs_since} />, and may differ until they are
              applied from there again. <Link to="/policies/history">History</Link>
            </p>
          )}
        </div>
        {onReason === null ? null : reason === null ? (
          <Button onClick={() => setIsAsking(true)}>Change them here</Button>
        ) : (
          <Button onClick={() => onReason(null)}>Stop changing them here</Button>
        )}
      </div>
      <AskReason
        open={isAsking}
        onOpenChange={setIsAsking}
        source={source.name}
        onReason={(next) => onReason?.(next)}
      />
    </Note>
  );
}

/** A link only if it is an address; anything else is a name. */
function SourceName({ name }: { readonly name: string }) {
  if (!/^https:\/\/[^\s]+$/i.test(name)) return <bdi className="break-words font-medium">{name}</bdi>;
  return (
    <a href={name} target="_blank" rel="noopener noreferrer" className="break-all text-accent underline">
      {name}
    </a>
  );
}

interface AskReasonProps {
  readonly open: boolean;
  readonly onOpenChange: (open: boolean) => void;
  readonly source: string;
  readonly onReason: (reason: string) => void;
}

function AskReason({ open, onOpenChange, source, onReason }: AskReasonProps) {
  const [typed, setTyped] = useState("");
  const reason = typed.trim();
  return (
    <FormDialog
      open={open}
      onOpenChange={onOpenChange}
      title="Change the policies here?"
      about={
        `They are kept in ${source}, whose next change undoes what is not there too. Each save takes a ` +
        "fresh sign-in, and is in the audit log with your reason."
      }
      submit="Change them here"
      disabled={[...reason].length < REASON_MIN}
      onSubmit={async () => {
        onReason(reason);
        setTyped("");
      }}
    >
      <TextField
        label="Reason"
        hint="One line, such as an incident."
        value={typed}
        onValue={setTyped}
        maxLength={REASON_MAX}
        autoFocus
      />
    </FormDialog>
  );
}
