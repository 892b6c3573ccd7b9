/**
 * Live sessions, which update by themselves, and the history. The server filters both, and the URL carries
 * the filter.
 *
 * @module
 */
import { useInfiniteQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { callPage, type Page } from "../../api/client.ts";
import { seesAccount, useMe } from "../../app/me.ts";
import { Button } from "../../components/button.tsx";
import { classes } from "../../components/class-names.ts";
import { DataTable } from "../../components/data-table.tsx";
import { Loaded } from "../../components/loaded.tsx";
import { Empty } from "../../components/notice.tsx";
import { PageHeader } from "../../components/page-header.tsx";
import { type SessionTerms, sessionQueryOf } from "../../terms/session-terms.ts";
import { ExportSessions } from "./export-sessions.tsx";
import { HISTORY_COLUMNS, LIVE_COLUMNS } from "./session-columns.tsx";
import { SessionFilter } from "./session-filter.tsx";

type SessionPage = Page<"GET /api/sessions">;

const route = getRouteApi("/sessions");
const PAGE = "100";

export function SessionsPage() {
  const me = useMe();
  const terms = route.useSearch();
  const sessions = useInfiniteQuery({
    queryKey: ["sessions", "GET /api/sessions", "pages", terms],
    initialPageParam: "",
    queryFn: ({ pageParam, signal }) => {
      const more = pageParam === "" ? {} : { cursor: pageParam };
      const query = { ...sessionQueryOf(terms), limit: PAGE, ...more };
      return callPage("GET /api/sessions", { query, signal });
    },
    getNextPageParam: (page: SessionPage) => page.cursor ?? undefined,
  });
  const rows = sessions.data?.pages.flatMap((page) => page.items) ?? [];
  const total = sessions.data?.pages[0]?.total ?? 0;
  const isHistory = terms.show === "history";
  return (
    <>
      <PageHeader
        title="Sessions"
        about={
          seesAccount(me)
            ? "Who is on which machine, as whom, and who was. Ending one stops everything that runs in it."
            : "Your SSH sessions, now and before."
        }
      />
      <Tabs terms={terms} />
      <SessionFilter key={JSON.stringify(terms)} terms={terms} seesAll={seesAccount(me)}>
        {isHistory && total > 0 ? <ExportSessions terms={terms} /> : null}
      </SessionFilter>
      {rows.length > 0 ? (
        <p role="status" className="mb-2 text-soft tabular-nums">
          {countText(rows.length, total)}
        </p>
      ) : null}
      <Loaded query={sessions}>
        {() =>
          rows.length === 0 ? (
            <Nothing terms={terms} />
          ) : (
            <DataTable
              label={isHistory ? "Sessions that have ended" : "Live sessions"}
              rows={rows}
              rowId={({ id, machine_id }) => `${machine_id} ${id}`}
              columns={isHistory ? HISTORY_COLUMNS : LIVE_COLUMNS}
            />
          )
        }
      </Loaded>
      {sessions.hasNextPage ? (
        <div className="mt-3 flex justify-center">
          <Button busy={sessions.isFetchingNextPage} onClick={() => void sessions.fetchNextPage()}>
            More sessions
          </Button>
        </div>
      ) : null}
    </>
  );
}

function countText(shown: number, total: number): string {
  const of = total.toLocaleString("en");
  const what = total === 1 ? "session" : "sessions";
  return shown === total ? `${of} ${what}` : `${shown.toLocaleString("en")} of ${of} ${what}`;
}

/** Tabs for the two lists. Switching keeps the filter terms that both have. */
function Tabs({ terms }: { readonly terms: SessionTerms }) {
  const { user, machine, as } = terms;
  const common = {
    ...(user === undefined ? {} : { user }),
    ...(machine === undefined ? {} : { machine }),
    ...(as === undefined ? {} : { as }),
  };
  const tabs = [
    { label: "Live", search: common, isHere: terms.show === undefined },
    { label: "History", search: { ...common, show: "history" as const }, isHere: terms.show === "history" },
  ];
  return (
    <nav aria-label="Which sessions" className="mb-4 flex gap-1 border-line border-b">
      {tabs.map(({ label, search, isHere }) => (
        <Link
          key={label}
          to="/sessions"
          search={search}
          aria-current={isHere ? "page" : undefined}
          className={classes(
            "-mb-px inline-flex min-h-10 items-center border-b-2 px-3 font-medium no-underline",
            isHere ? "border-accent text-ink" : "border-transparent text-soft hover:text-ink",
          )}
        >
          {label}
        </Link>
      ))}
    </nav>
  );
}

function Nothing({ terms }: { readonly terms: SessionTerms }) {
  const { show, ...filter } = terms;
  if (Object.keys(filter).length > 0) return <Empty title="No session matches">Remove a filter.</Empty>;
  if (show === "history") {
    return <Empty title="No session yet">Sessions appear here once they have ended.</Empty>;
  }
  return (
    <Empty title="Nobody is on">
      A session appears here by itself when somebody connects to a machine with qf ssh or ssh.
    </Empty>
  );
}
