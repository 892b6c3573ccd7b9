/**
 * The audit log, newest first, with more loaded on demand. The server filters it by the terms of `qf audit
 * list`.
 *
 * The filter is in the URL, so a filtered log can be shared as a link.
 *
 * @module
 */
import { useInfiniteQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { useState } from "react";
import { callPage, type Page } from "../../api/client.ts";
import { Badge, type Tone } from "../../components/badge.tsx";
import { Button } from "../../components/button.tsx";
import { type Column, DataTable } from "../../components/data-table.tsx";
import { DateField } from "../../components/date-field.tsx";
import { TextField } from "../../components/field.tsx";
import { Loaded } from "../../components/loaded.tsx";
import { Empty } from "../../components/notice.tsx";
import { PageHeader } from "../../components/page-header.tsx";
import { Time } from "../../components/time.tsx";
import { activityText } from "./activity-words.ts";
import { AuditEventDialog } from "./audit-event-dialog.tsx";
import { AUDIT_TERMS, type AuditTerms, auditQueryOf, isDay } from "./audit-terms.ts";
import { type AuditEvent, aboutText } from "./audit-words.ts";
import { ExportAudit } from "./export-audit.tsx";

type EventPage = Page<"GET /api/events/audit">;

const route = getRouteApi("/audit");
const PAGE = "100";

export function AuditPage() {
  const terms = route.useSearch();
  const events = useInfiniteQuery({
    queryKey: ["events", "GET /api/events/audit", terms],
    initialPageParam: "",
    queryFn: ({ pageParam, signal }) => {
      const more = pageParam === "" ? {} : { cursor: pageParam };
      return callPage("GET /api/events/audit", {
        query: { ...auditQueryOf(terms), limit: PAGE, ...more },
        signal,
      });
    },
    getNextPageParam: (page: EventPage) => page.cursor ?? undefined,
  });
  const rows = events.data?.pages.flatMap((page) => page.items) ?? [];
  return (
    <>
      <PageHeader
        title="Audit"
        about="What happened, who did it, and by which rule. Nothing here can be edited."
      />
      <Filter key={JSON.stringify(terms)} terms={terms} />
      <Loaded query={events}>
        {() =>
          rows.length === 0 ? (
            <Empty title="No event matches">Remove a filter.</Empty>
          ) : (
            <DataTable label="Audit events" rows={rows} rowId={({ id }) => id} columns={COLUMNS} />
          )
        }
      </Loaded>
      {events.hasNextPage ? (
        <div className="mt-3 flex justify-center">
          <Button busy={events.isFetchingNextPage} onClick={() => void events.fetchNextPage()}>
            Older events
          </Button>
        </div>
      ) : null}
    </>
  );
}

const LABELS: Readonly<Record<keyof AuditTerms, string>> = {
  user: "Person",
  machine: "Machine or device",
  activity: "Activity, as in ssh.*",
  receipt: "Receipt",
  since: "From",
  until: "Through",
};

function Filter({ terms }: { readonly terms: AuditTerms }) {
  const navigate = route.useNavigate();
  const [typed, setTyped] = useState<AuditTerms>(terms);
  const apply = (next: AuditTerms): void => {
    const search = Object.fromEntries(Object.entries(next).filter(([, value]) => value.trim() !== ""));
    void navigate({ search, replace: true });
  };
  return (
    <form
      className="mb-4 grid grid-cols-2 items-end gap-3 lg:grid-cols-3 2xl:grid-cols-[repeat(6,1fr)_auto]"
      onSubmit={(event) => {
        event.preventDefault();
        apply(typed);
      }}
    >
      {AUDIT_TERMS.map((term) => {
        const field = {
          label: LABELS[term],
          value: typed[term] ?? "",
          onValue: (value: string) => setTyped({ ...typed, [term]: value }),
        };
        return isDay(term) ? <DateField key={term} {...field} /> : <TextField key={term} {...field} />;
      })}
      <div className="col-span-2 flex gap-2 lg:col-span-3 2xl:col-span-1">
        <Button type="submit" weight="primary">
          Filter
        </Button>
        {Object.keys(terms).length === 0 ? null : <Button onClick={() => apply({})}>Clear</Button>}
        <ExportAudit terms={terms} />
      </div>
    </form>
  );
}

function toneOf(code: string): Tone {
  if (/deny|refuse|failed|block|revoke|delete/.test(code)) return "bad";
  return /allow|approve|create|add$|login/.test(code) ? "good" : "plain";
}

const COLUMNS: readonly Column<AuditEvent>[] = [
  { id: "when", header: "When", cell: ({ timestamp }) => <Time iso={timestamp} exact /> },
  {
    id: "what",
    header: "What",
    cell: ({ activity_code }) => (
      <span title={activity_code} className="min-w-0">
        <Badge tone={toneOf(activity_code)} dot>
          {activityText(activity_code)}
        </Badge>
      </span>
    ),
  },
  { id: "who", header: "Who", cell: (event) => event.initiator_name || event.initiator_email || "-" },
  {
    id: "about",
    header: "About",
    from: "md",
    cell: ({ meta }) => <span className="text-soft sm:line-clamp-1 sm:break-all">{aboutText(meta)}</span>,
  },
  {
    id: "code",
    header: "Code",
    from: "xl",
    cell: ({ activity_code }) => <code className="font-mono text-soft text-xs">{activity_code}</code>,
  },
  { id: "more", header: "More", isActions: true, cell: (event) => <AuditEventDialog event={event} /> },
];
