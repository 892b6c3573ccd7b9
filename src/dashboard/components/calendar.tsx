/**
 * A month of days to choose from, by pointer or by arrow keys.
 *
 * @module
 */
import { ChevronLeft, ChevronRight } from "lucide-react";
import { type KeyboardEvent, useEffect, useRef, useState } from "react";
import { IconButton } from "./button.tsx";
import { classes } from "./class-names.ts";
import { type Day, dayAfter, dayInMonth, dayText, longDay, weeksOf } from "./day-text.ts";

interface CalendarProps {
  /** The chosen day; null for none. */
  readonly day: Day | null;
  readonly today: Day;
  readonly onDay: (day: Day) => void;
}

const WEEKDAYS = ["Mo", "Tu", "We", "Th", "Fr", "Sa", "Su"];
const MONTH = new Intl.DateTimeFormat("en-GB", { month: "long", year: "numeric", timeZone: "UTC" });
const STEPS: Readonly<Record<string, (day: Day) => Day>> = {
  ArrowLeft: (day) => dayAfter(day, -1),
  ArrowRight: (day) => dayAfter(day, 1),
  ArrowUp: (day) => dayAfter(day, -7),
  ArrowDown: (day) => dayAfter(day, 7),
  PageUp: (day) => dayInMonth(day, -1),
  PageDown: (day) => dayInMonth(day, 1),
};

export function Calendar({ day, today, onDay }: CalendarProps) {
  const [at, setAt] = useState(day ?? today);
  const grid = useRef<HTMLTableElement>(null);
  const moves = useRef(true);
  useEffect(() => {
    if (moves.current) grid.current?.querySelector<HTMLElement>(`[data-day="${dayText(at)}"]`)?.focus();
    moves.current = false;
  }, [at]);
  const onKeyDown = (event: KeyboardEvent): void => {
    const step = STEPS[event.key];
    if (step === undefined) return;
    event.preventDefault();
    moves.current = true;
    setAt(step(at));
  };
  return (
    <div className="w-68 p-3">
      <div className="mb-2 flex items-center justify-between">
        <IconButton label="Month before" onClick={() => setAt(dayInMonth(at, -1))}>
          <ChevronLeft size={16} aria-hidden="true" />
        </IconButton>
        <p role="status" className="font-medium">
          {MONTH.format(new Date(Date.UTC(at.year, at.month - 1, 1)))}
        </p>
        <IconButton label="Month after" onClick={() => setAt(dayInMonth(at, 1))}>
          <ChevronRight size={16} aria-hidden="true" />
        </IconButton>
      </div>
      <table ref={grid} aria-label="Days" onKeyDown={onKeyDown} className="w-full">
        <thead>
          <tr>
            {WEEKDAYS.map((name) => (
              <th key={name} scope="col" className="h-7 font-medium text-soft text-xs">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {weeksOf(at).map((week) => (
            <tr key={dayText(week[0] ?? at)}>
              {week.map((one) => (
                <DayCell key={dayText(one)} day={one} at={at} chosen={day} today={today} onDay={onDay} />
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

interface DayCellProps {
  readonly day: Day;
  /** The day that arrow keys move from. */
  readonly at: Day;
  readonly chosen: Day | null;
  readonly today: Day;
  readonly onDay: (day: Day) => void;
}

function DayCell({ day, at, chosen, today, onDay }: DayCellProps) {
  const text = dayText(day);
  const isChosen = chosen !== null && text === dayText(chosen);
  const isToday = text === dayText(today);
  return (
    <td className="p-0 text-center">
      <button
        type="button"
        data-day={text}
        tabIndex={text === dayText(at) ? 0 : -1}
        aria-label={longDay(day)}
        aria-pressed={isChosen}
        {...(isToday ? { "aria-current": "date" as const } : {})}
        onClick={() => onDay(day)}
        className={classes(
          "size-8.5 rounded-md tabular-nums pointer-coarse:h-11",
          isChosen ? "bg-accent font-semibold text-on-accent" : "hover:bg-sunken",
          !isChosen && isToday && "font-semibold text-accent",
          !isChosen && day.month !== at.month && "text-soft",
        )}
      >
        {day.date}
      </button>
    </td>
  );
}
