/**
 * The filter box above a list, with its counts.
 *
 * @module
 */
import { Search } from "lucide-react";
import type { ReactNode } from "react";
import { classes } from "./class-names.ts";
import { CONTROL } from "./field.tsx";

interface SearchBoxProps {
  readonly label: string;
  readonly value: string;
  readonly onValue: (value: string) => void;
  readonly shown: number;
  readonly total: number;
  readonly children?: ReactNode;
  /** At the end of the row. */
  readonly end?: ReactNode;
}

/** Shows `shown` of `total`, so that a filtered table never looks complete. */
export function SearchBox({ label, value, onValue, shown, total, children, end }: SearchBoxProps) {
  return (
    <div className="mb-3 flex flex-wrap items-center gap-3">
      <div className="relative max-w-80 flex-1 basis-56 max-sm:max-w-none max-sm:basis-full">
        <Search
          size={16}
          aria-hidden="true"
          className="pointer-events-none absolute top-1/2 left-3 -translate-y-1/2 text-soft"
        />
        <input
          type="search"
          aria-label={label}
          placeholder={`${label}; -word omits`}
          title="Every word has to occur. A word after a minus must not."
          value={value}
          onChange={(event) => onValue(event.target.value)}
          className={classes(CONTROL, "pl-9")}
        />
      </div>
      {children}
      <div className="flex flex-1 items-center justify-between gap-3">
        <p role="status" className="whitespace-nowrap text-soft tabular-nums">
          {shown === total
            ? `${total.toLocaleString("en")} in all`
            : `${shown.toLocaleString("en")} of ${total.toLocaleString("en")}`}
        </p>
        {end ?? null}
      </div>
    </div>
  );
}
