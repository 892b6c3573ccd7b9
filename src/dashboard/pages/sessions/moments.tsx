/**
 * Moments of a recording to jump to: chapters, search results, and typed input.
 *
 * @module
 */
import { useDeferredValue, useMemo, useState } from "react";
import { Card } from "../../components/card.tsx";
import { classes } from "../../components/class-names.ts";
import { TextField } from "../../components/field.tsx";
import { clockText } from "../../recording/played-time.ts";
import { findMoments, type Moment, type Shown } from "../../recording/shown-lines.ts";

/** At most this many moments of a list are rendered. */
const SHOWN_MAX = 200;

interface MomentsProps {
  readonly shown: Shown;
  readonly seconds: number;
  readonly onSeek: (seconds: number) => void;
}

export function Moments({ shown, seconds, onSeek }: MomentsProps) {
  return (
    <div className="flex min-w-0 flex-col gap-4">
      <Search lines={shown.lines} onSeek={onSeek} />
      <Card title="Chapters">
        {shown.chapters.length === 0 ? (
          <p className="text-soft">No command was typed where the recording can tell.</p>
        ) : (
          <MomentList
            label="Chapters"
            moments={shown.chapters}
            current={currentOf(shown.chapters, seconds)}
            onSeek={onSeek}
          />
        )}
      </Card>
      {shown.typed.length === 0 ? null : (
        <Card title="Typed">
          <MomentList label="Typed" moments={shown.typed} current={-1} onSeek={onSeek} />
        </Card>
      )}
    </div>
  );
}

function Search({ lines, onSeek }: Pick<MomentsProps, "onSeek"> & { readonly lines: readonly Moment[] }) {
  const [query, setQuery] = useState("");
  const wanted = useDeferredValue(query);
  const found = useMemo(() => findMoments(lines, wanted), [lines, wanted]);
  return (
    <Card title="Search">
      <TextField label="Text in the recording" value={query} onValue={setQuery} />
      <p role="status" className="mt-2 text-soft tabular-nums">
        {wanted.trim() === "" ? "" : foundText(found.length)}
      </p>
      {found.length === 0 ? null : <MomentList label="Found" moments={found} current={-1} onSeek={onSeek} />}
    </Card>
  );
}

function foundText(count: number): string {
  if (count === 0) return "No line has it.";
  return count === 1 ? "1 line" : `${count.toLocaleString("en")} lines`;
}

function MomentList({
  label,
  moments,
  current,
  onSeek,
}: {
  readonly label: string;
  readonly moments: readonly Moment[];
  /** Index of the moment that the player is in; -1 for none. */
  readonly current: number;
  readonly onSeek: (seconds: number) => void;
}) {
  const rest = moments.length - SHOWN_MAX;
  return (
    <>
      <ul aria-label={label} className="max-h-80 overflow-y-auto">
        {moments.slice(0, SHOWN_MAX).map(({ seconds, text }, i) => (
          <li key={`${seconds} ${text}`}>
            <button
              type="button"
              aria-current={i === current ? "true" : undefined}
              onClick={() => onSeek(seconds)}
              className={classes(
                "flex min-h-8 w-full items-baseline gap-3 rounded-sm px-2 py-1 text-left hover:bg-sunken pointer-coarse:min-h-11",
                i === current ? "bg-accent-ground" : "",
              )}
            >
              <span className="w-12 shrink-0 text-right text-soft text-xs tabular-nums">
                {clockText(seconds)}
              </span>
              <bdi className="min-w-0 truncate font-mono text-xs" title={text}>
                {text}
              </bdi>
            </button>
          </li>
        ))}
      </ul>
      {rest > 0 ? <p className="mt-2 text-soft">and {rest.toLocaleString("en")} more</p> : null}
    </>
  );
}

/** Index of the last moment that has begun. */
function currentOf(moments: readonly Moment[], seconds: number): number {
  return moments.findLastIndex((one) => one.seconds <= seconds);
}
