/**
 * Live sessions of a person, and the way to earlier ones.
 *
 * @module
 */
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { reading } from "../../api/queries.ts";
import { Card } from "../../components/card.tsx";
import { Loaded } from "../../components/loaded.tsx";
import { Time } from "../../components/time.tsx";
import { EndSession } from "../sessions/end-session.tsx";
import { doesText } from "../sessions/session-words.ts";
import type { User } from "./person-words.ts";

const SHOWN_MAX = 8;

export function PersonSessions({ user }: { readonly user: User }) {
  const query = { state: "live" as const, user: user.id };
  const sessions = useQuery(reading("GET /api/sessions", { query }));
  const history = (
    <Link to="/sessions" search={{ show: "history", user: user.id }} className="text-accent hover:underline">
      History
    </Link>
  );
  return (
    <Card title="On now" actions={history}>
      <Loaded query={sessions} rows={2}>
        {(live) =>
          live.length === 0 ? (
            <p className="text-soft">On no machine.</p>
          ) : (
            <ul className="flex flex-col gap-2">
              {live.slice(0, SHOWN_MAX).map((session) => (
                <li
                  key={`${session.machine_id} ${session.id}`}
                  className="flex items-center justify-between gap-3"
                >
                  <span className="min-w-0">
                    <Link
                      to="/sessions/$sessionId"
                      params={{ sessionId: session.id }}
                      className="font-medium text-accent hover:underline"
                    >
                      <bdi>{session.machine}</bdi>
                    </Link>{" "}
                    as <code className="font-mono text-xs">{session.local_user}</code>
                    <span className="block text-soft text-xs">
                      {doesText(session)}, since <Time iso={session.started_at} />
                    </span>
                  </span>
                  <EndSession session={session} />
                </li>
              ))}
              {live.length > SHOWN_MAX ? (
                <li className="text-soft">and {live.length - SHOWN_MAX} more</li>
              ) : null}
            </ul>
          )
        }
      </Loaded>
    </Card>
  );
}
