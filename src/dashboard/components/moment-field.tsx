/**
 * A moment in UTC: one of a few choices relative to now, or a day and a time.
 *
 * @module
 */
import { useId, useState } from "react";
import { DateField } from "./date-field.tsx";
import { utcSeconds } from "./day-text.ts";
import { lengthText } from "./durations.ts";
import { CONTROL } from "./field.tsx";
import { absoluteTime } from "./moments.ts";

interface MomentFieldProps {
  readonly label: string;
  /** Unix seconds. Undefined for none. */
  readonly seconds: number | undefined;
  readonly onSeconds: (seconds: number | undefined) => void;
  readonly problem: string | null;
  /** Choices, in seconds from now. */
  readonly choices?: readonly number[];
  /** Label of the choice for no moment, such as `Any time`. */
  readonly none: string;
}

const CHOICE =
  "min-h-7 rounded-full border border-line px-2.5 font-medium text-xs hover:border-edge hover:bg-sunken " +
  "aria-pressed:border-accent aria-pressed:bg-accent-ground aria-pressed:text-accent pointer-coarse:min-h-11";

export function MomentField({ label, seconds, onSeconds, problem, choices = [], none }: MomentFieldProps) {
  const [typed, setTyped] = useState(() => typedOf(seconds));
  const put = (next: Typed): void => {
    setTyped(next);
    const at = utcSeconds(next.day, next.time);
    if (next.day.trim() === "") onSeconds(undefined);
    else if (at !== null) onSeconds(at);
  };
  const choose = (at: number | undefined): void => {
    setTyped(typedOf(at));
    onSeconds(at);
  };
  const isTimeWrong = typed.day.trim() !== "" && utcSeconds("2026-01-01", typed.time) === null;
  return (
    <fieldset className="flex min-w-0 flex-col gap-2">
      <legend className="mb-1 font-medium">{label}</legend>
      <div className="flex flex-wrap gap-1.5">
        <button
          type="button"
          aria-pressed={seconds === undefined}
          onClick={() => choose(undefined)}
          className={CHOICE}
        >
          {none}
        </button>
        {choices.map((one) => (
          <button key={one} type="button" onClick={() => choose(fromNow(one))} className={CHOICE}>
            in {lengthText(one)}
          </button>
        ))}
      </div>
      <Typing label={label} typed={typed} onTyped={put} isTimeWrong={isTimeWrong} />
      <p role="status" className={isTimeWrong || problem !== null ? "text-bad text-xs" : "text-soft text-xs"}>
        {isTimeWrong ? "Write a time such as 18:00." : (problem ?? saidText(seconds))}
      </p>
    </fieldset>
  );
}

interface Typed {
  readonly day: string;
  readonly time: string;
}

interface TypingProps {
  readonly label: string;
  readonly typed: Typed;
  readonly onTyped: (typed: Typed) => void;
  readonly isTimeWrong: boolean;
}

function Typing({ label, typed, onTyped, isTimeWrong }: TypingProps) {
  const id = useId();
  return (
    <div className="grid grid-cols-[1fr_5.5rem] items-start gap-2">
      <DateField
        label={`${label}: day`}
        isLabelHidden
        value={typed.day}
        onValue={(day) => onTyped({ ...typed, day })}
        today={utcToday()}
      />
      <div>
        <label htmlFor={id} className="sr-only">
          {label}: time
        </label>
        <input
          id={id}
          autoComplete="off"
          placeholder="00:00"
          maxLength={5}
          value={typed.time}
          aria-invalid={isTimeWrong || undefined}
          onChange={({ target }) => onTyped({ ...typed, time: target.value })}
          className={`${CONTROL} tabular-nums`}
        />
      </div>
    </div>
  );
}

function saidText(seconds: number | undefined): string {
  if (seconds === undefined) return "Day and time in UTC.";
  return `Here: ${absoluteTime(new Date(seconds * 1000).toISOString())}.`;
}

function typedOf(seconds: number | undefined): Typed {
  if (seconds === undefined) return { day: "", time: "00:00" };
  const iso = new Date(seconds * 1000).toISOString();
  return { day: iso.slice(0, 10), time: iso.slice(11, 16) };
}

/** Counted from the start of the current minute. */
function fromNow(seconds: number): number {
  return Math.floor(Date.now() / 60_000) * 60 + seconds;
}

function utcToday() {
  const now = new Date();
  return { year: now.getUTCFullYear(), month: now.getUTCMonth() + 1, date: now.getUTCDate() };
}
