/**
 * A day, typed as `2026-12-24` or chosen from a calendar beside the field.
 *
 * @module
 */
import { CalendarDays } from "lucide-react";
import { Popover } from "radix-ui";
import { useId, useState } from "react";
import { Calendar } from "./calendar.tsx";
import { type Day, dayText, parseDay } from "./day-text.ts";
import { CONTROL, described, FieldFrame, type FieldProps } from "./field.tsx";

interface DateFieldProps extends FieldProps {
  /** The typed text. */
  readonly value: string;
  readonly onValue: (value: string) => void;
  /** The current day; by default that of the browser's time zone. */
  readonly today?: Day;
}

export function DateField({ label, hint, problem, isLabelHidden = false, ...field }: DateFieldProps) {
  const id = useId();
  const [open, setOpen] = useState(false);
  const { value, onValue, today = localToday() } = field;
  const isWrong = value.trim() !== "" && parseDay(value) === null;
  const said = isWrong ? "Write a day such as 2026-12-24." : (problem ?? null);
  const about = { label, ...(hint === undefined ? {} : { hint }), problem: said };
  return (
    <FieldFrame id={id} {...about} isLabelHidden={isLabelHidden}>
      <div className="relative">
        <input
          {...described(id, about)}
          id={id}
          autoComplete="off"
          inputMode="numeric"
          placeholder="YYYY-MM-DD"
          maxLength={10}
          value={value}
          onChange={({ target }) => onValue(target.value)}
          className={`${CONTROL} pr-11 tabular-nums`}
        />
        <Popover.Root open={open} onOpenChange={setOpen}>
          <Popover.Trigger
            aria-label={`${label}: calendar`}
            className="absolute inset-y-0 right-0 flex w-10 items-center justify-center rounded-md text-soft hover:text-ink"
          >
            <CalendarDays size={16} aria-hidden="true" />
          </Popover.Trigger>
          <Popover.Portal>
            <Popover.Content
              align="end"
              sideOffset={6}
              collisionPadding={8}
              aria-label={`${label}: calendar`}
              onOpenAutoFocus={(event) => event.preventDefault()}
              className="appear z-50 rounded-md border border-line bg-raised shadow-lift"
            >
              <Calendar
                day={parseDay(value)}
                today={today}
                onDay={(day) => {
                  onValue(dayText(day));
                  setOpen(false);
                }}
              />
            </Popover.Content>
          </Popover.Portal>
        </Popover.Root>
      </div>
    </FieldFrame>
  );
}

function localToday(): Day {
  const now = new Date();
  return { year: now.getFullYear(), month: now.getMonth() + 1, date: now.getDate() };
}
