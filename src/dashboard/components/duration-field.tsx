/**
 * A field for a duration, typed as `30m`, `8h` or `2d`.
 *
 * @module
 */
import { useState } from "react";
import { durationText, parseDuration } from "./durations.ts";
import { TextField } from "./field.tsx";

interface DurationFieldProps {
  readonly label: string;
  readonly hint?: string;
  readonly problem?: string | null;
  /** Undefined if empty. */
  readonly seconds: number | undefined;
  readonly onSeconds: (seconds: number | undefined) => void;
  readonly className?: string;
}

export function DurationField({ label, hint, problem, seconds, onSeconds, className }: DurationFieldProps) {
  const [typed, setTyped] = useState(() => (seconds === undefined ? "" : durationText(seconds)));
  const isWrong = typed.trim() !== "" && parseDuration(typed) === null;
  return (
    <TextField
      label={label}
      hint={hint ?? "Such as 30m, 8h or 2d. Empty: no limit."}
      problem={isWrong ? "Write a number and s, m, h or d." : (problem ?? null)}
      {...(className === undefined ? {} : { className })}
      value={typed}
      onValue={(text) => {
        setTyped(text);
        const parsed = parseDuration(text);
        if (text.trim() === "") onSeconds(undefined);
        else if (parsed !== null) onSeconds(parsed);
      }}
    />
  );
}
