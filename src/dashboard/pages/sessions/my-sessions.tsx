/**
 * The user's own live sessions, for My access.
 *
 * @module
 */
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { reading } from "../../api/queries.ts";
import { useMe } from "../../app/me.ts";
import { DataTable } from "../../components/data-table.tsx";
import { Loaded } from "../../components/loaded.tsx";
import { MY_COLUMNS } from "./session-columns.tsx";

export function MySessions() {
  const me = useMe();
  const query = { state: "live" as const, user: me.id };
  const sessions = useQuery(reading("GET /api/sessions", { query }));
  return (
    <section className="mt-8">
      <div className="mb-2 flex flex-wrap items-baseline justify-between gap-x-4">
        <h2 className="font-semibold text-base">My sessions</h2>
        <Link
          to="/sessions"
          search={{ show: "history", user: me.id }}
          className="text-accent hover:underline"
        >
          Earlier ones
        </Link>
      </div>
      <Loaded query={sessions} rows={2}>
        {(live) =>
          live.length === 0 ? (
            <p className="text-soft">You are not on any machine now.</p>
          ) : (
            <DataTable
              label="My sessions"
              rows={live}
              rowId={({ id, machine_id }) => `${machine_id} ${id}`}
              columns={MY_COLUMNS}
            />
          )
        }
      </Loaded>
    </section>
  );
}
