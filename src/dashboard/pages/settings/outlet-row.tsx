/**
 * A row for a log stream or notification channel: its delivery state, and the actions on it.
 *
 * @module
 */
import { Ellipsis } from "lucide-react";
import { useState } from "react";
import { Badge, type Tone } from "../../components/badge.tsx";
import { IconButton } from "../../components/button.tsx";
import { ConfirmDialog } from "../../components/dialog.tsx";
import { Menu } from "../../components/menu.tsx";
import { Time } from "../../components/time.tsx";

interface Outlet {
  readonly name: string;
  readonly status: "ok" | "behind" | "failing" | "disabled";
  readonly lag: number;
  readonly last_delivered_at: string | null;
  readonly last_error: string | null;
}

interface OutletRowProps {
  readonly outlet: Outlet;
  /** The destination. */
  readonly target: string;
  readonly canSave: boolean;
  readonly onTest: () => void;
  readonly onRemove: () => Promise<unknown>;
}

const STATES: Readonly<Record<Outlet["status"], { readonly tone: Tone; readonly word: string }>> = {
  ok: { tone: "good", word: "works" },
  behind: { tone: "warn", word: "behind" },
  failing: { tone: "bad", word: "fails" },
  disabled: { tone: "plain", word: "off" },
};

export function OutletRow({ outlet, target, canSave, onTest, onRemove }: OutletRowProps) {
  const [isRemoving, setIsRemoving] = useState(false);
  const { tone, word } = STATES[outlet.status];
  return (
    <li className="flex items-start justify-between gap-3 border-line border-t py-3 first:border-0">
      <div className="min-w-0">
        <p className="flex flex-wrap items-center gap-2">
          <span className="font-medium">{outlet.name}</span>
          <Badge tone={tone}>{word}</Badge>
        </p>
        <p className="truncate text-soft text-xs">{target}</p>
        <p className="text-soft text-xs">
          {outlet.last_error ?? (
            <>
              Last delivered:{" "}
              {outlet.last_delivered_at === null ? "never" : <Time iso={outlet.last_delivered_at} />}
              {outlet.lag > 0 ? `, ${outlet.lag.toLocaleString("en")} to go` : ""}
            </>
          )}
        </p>
      </div>
      {canSave ? (
        <Menu
          trigger={
            <IconButton label={`Actions of ${outlet.name}`}>
              <Ellipsis size={18} aria-hidden="true" />
            </IconButton>
          }
          actions={[
            { label: "Send a test", onSelect: onTest },
            null,
            { label: "Remove", danger: true, onSelect: () => setIsRemoving(true) },
          ]}
        />
      ) : null}
      <ConfirmDialog
        open={isRemoving}
        onOpenChange={setIsRemoving}
        title={`Remove ${outlet.name}?`}
        verb="Remove"
        onConfirm={onRemove}
      >
        <p>A last message there says that the stream ends. Nothing is sent after it.</p>
      </ConfirmDialog>
    </li>
  );
}
