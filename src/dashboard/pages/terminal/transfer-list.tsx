/**
 * Transfers and how far each has come.
 *
 * @module
 */
import { X } from "lucide-react";
import { IconButton } from "../../components/button.tsx";
import { sentence } from "../../terminal/client-calls.ts";
import type { Transfer } from "../../terminal/file-transfers.ts";
import { bytesText } from "../../terminal/file-words.ts";

const STATES = { going: "", done: "done", stopped: "stopped" } as const;

interface TransferListProps {
  readonly transfers: readonly Transfer[];
  onCancel(id: number): void;
}

export function TransferList({ transfers, onCancel }: TransferListProps) {
  if (transfers.length === 0) return null;
  return (
    <ul aria-label="Transfers" className="max-h-40 overflow-y-auto border-line border-t text-xs">
      {transfers.map(({ id, name, way, bytes, size, state, problem }) => (
        <li key={id} className="flex min-h-9 items-center gap-2 px-3">
          <span className="min-w-0 flex-1">
            <span className="block truncate">
              {way === "up" ? "Upload" : "Download"} {name}
            </span>
            {problem === null ? (
              <Progress
                label={`${name}, so far`}
                part={state === "done" ? 1 : bytes / Math.max(size, bytes, 1)}
              />
            ) : (
              <span className="text-bad">{sentence(problem)}</span>
            )}
          </span>
          <span className="whitespace-nowrap text-soft tabular-nums">
            {bytesText(bytes)} {STATES[state]}
          </span>
          {state === "going" ? (
            <IconButton label={`Stop ${name}`} onClick={() => onCancel(id)}>
              <X size={14} aria-hidden="true" />
            </IconButton>
          ) : null}
        </li>
      ))}
    </ul>
  );
}

function Progress({ label, part }: { readonly label: string; readonly part: number }) {
  const percent = Math.round(part * 100);
  return (
    <span
      role="progressbar"
      aria-label={label}
      aria-valuenow={percent}
      aria-valuemin={0}
      aria-valuemax={100}
      className="mt-1 block h-1 w-full overflow-hidden rounded-sm bg-line"
    >
      <span className="block h-full bg-accent" style={{ width: `${percent}%` }} />
    </span>
  );
}
