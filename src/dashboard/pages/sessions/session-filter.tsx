/**
 * The filter above session lists. The server applies it, and the URL carries it.
 *
 * @module
 */
import { getRouteApi } from "@tanstack/react-router";
import { type ReactNode, useState } from "react";
import { Button } from "../../components/button.tsx";
import { DateField } from "../../components/date-field.tsx";
import { TextField } from "../../components/field.tsx";
import { DAY_TERMS, type SessionTerms, sessionTermsOf, TYPED_TERMS } from "../../terms/session-terms.ts";

const route = getRouteApi("/sessions");

const LABELS = {
  user: "Person",
  machine: "Machine",
  as: "Local user",
  since: "From",
  until: "Through",
} as const;

interface SessionFilterProps {
  readonly terms: SessionTerms;
  /** Whether the user sees sessions other than their own. */
  readonly seesAll: boolean;
  /** Shown beside the buttons. */
  readonly children?: ReactNode;
}

export function SessionFilter({ terms, seesAll, children }: SessionFilterProps) {
  const navigate = route.useNavigate();
  const [typed, setTyped] = useState<SessionTerms>(terms);
  const { show } = terms;
  const shown = [
    ...TYPED_TERMS.filter((term) => seesAll || term !== "user"),
    ...(show === "history" ? DAY_TERMS : []),
  ];
  const apply = (next: SessionTerms): void => {
    const trimmed = Object.fromEntries(Object.entries(next).map(([name, value]) => [name, value.trim()]));
    void navigate({ search: sessionTermsOf(trimmed), replace: true });
  };
  return (
    <form
      className="mb-4 flex flex-wrap items-end gap-3"
      onSubmit={(event) => {
        event.preventDefault();
        apply(typed);
      }}
    >
      {shown.map((term) => (
        <div key={term} className="min-w-36 flex-1 basis-36">
          <FilterField
            isDay={term === "since" || term === "until"}
            label={LABELS[term]}
            value={typed[term] ?? ""}
            onValue={(value) => setTyped({ ...typed, [term]: value })}
          />
        </div>
      ))}
      <div className="flex flex-wrap gap-2">
        <Button type="submit" weight="primary">
          Filter
        </Button>
        {shown.some((term) => terms[term] !== undefined) ? (
          <Button onClick={() => apply(show === undefined ? {} : { show })}>Clear</Button>
        ) : null}
        {children}
      </div>
    </form>
  );
}

interface FilterFieldProps {
  readonly isDay: boolean;
  readonly label: string;
  readonly value: string;
  readonly onValue: (value: string) => void;
}

function FilterField({ isDay, ...field }: FilterFieldProps) {
  return isDay ? <DateField {...field} /> : <TextField {...field} />;
}
