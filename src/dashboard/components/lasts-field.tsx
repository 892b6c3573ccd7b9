/**
 * A duration: one of a few choices, or a typed one.
 *
 * @module
 */
import { useState } from "react";
import { SegmentField } from "./choice-field.tsx";
import { DurationField } from "./duration-field.tsx";
import { lengthText } from "./durations.ts";

interface LastsFieldProps {
  readonly label: string;
  /** In seconds, shortest first. 0 means no end. */
  readonly choices: readonly number[];
  /** Undefined if not typed yet. */
  readonly seconds: number | undefined;
  readonly onSeconds: (seconds: number | undefined) => void;
  readonly problem?: string | null;
}

const OTHER = "other";

export function LastsField({ label, choices, seconds, onSeconds, problem }: LastsFieldProps) {
  const [isOther, setIsOther] = useState(() => seconds === undefined || !choices.includes(seconds));
  return (
    <div className="flex flex-col gap-2">
      <SegmentField
        label={label}
        value={isOther ? OTHER : String(seconds)}
        onValue={(value) => {
          setIsOther(value === OTHER);
          if (value !== OTHER) onSeconds(Number(value));
        }}
        choices={[
          ...choices.map((one) => ({ value: String(one), label: one === 0 ? "Never" : lengthText(one) })),
          { value: OTHER, label: "Other" },
        ]}
      />
      {isOther ? (
        <DurationField
          label={`${label}, as typed`}
          hint="Such as 90m, 12h or 45d."
          seconds={seconds === 0 ? undefined : seconds}
          onSeconds={onSeconds}
          problem={problem ?? null}
          className="max-w-40"
        />
      ) : problem == null ? null : (
        <p className="text-bad text-xs">{problem}</p>
      )}
    </div>
  );
}
