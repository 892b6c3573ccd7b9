/**
 * The people who are on a machine now.
 *
 * @module
 */
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { reading } from "../../api/queries.ts";
import { PAGES } from "../../app/pages.ts";
import { Card } from "../../components/card.tsx";
import { Loaded } from "../../components/loaded.tsx";
import { Time } from "../../components/time.tsx";
import { WhoWhere } from "./who-where.tsx";

const SHOWN = 6;
const SESSIONS_PAGE = "/sessions";

export function WhoIsOnCard() {
  const sessions = useQuery(reading("GET /api/sessions", { query: { state: "live", limit: "100" } }));
  const count = sessions.data?.length ?? 0;
  const all = PAGES.has(SESSIONS_PAGE) ? (
    <Link to={SESSIONS_PAGE as "/"} className="text-accent hover:underline">
      All sessions
    </Link>
  ) : null;
  return (
    <Card title={count === 0 ? "On now" : `On now: ${count === 100 ? "100 or more" : count}`} actions={all}>
      <Loaded query={sessions} rows={2}>
        {(live) =>
          live.length === 0 ? (
            <p className="text-soft">Nobody is on a machine.</p>
          ) : (
            <ul className="flex flex-col gap-1.5">
              {live.slice(0, SHOWN).map((one) => (
                <li key={one.id} className="flex items-baseline justify-between gap-x-3 max-sm:flex-col">
                  <span className="min-w-0 sm:truncate">
                    <WhoWhere who={one.user} localUser={one.local_user} machine={one.machine} />
                  </span>
                  <span className="shrink-0 text-soft text-xs">
                    <Time iso={one.started_at} />
                  </span>
                </li>
              ))}
            </ul>
          )
        }
      </Loaded>
    </Card>
  );
}
