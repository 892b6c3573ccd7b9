/**
 * A card with the live sessions of one machine or user, and a link to earlier ones.
 *
 * @module
 */
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { reading } from "../../api/queries.ts";
import { Card } from "../../components/card.tsx";
import { Loaded } from "../../components/loaded.tsx";
import { Time } from "../../components/time.tsx";
import { EndSession } from "./end-session.tsx";
import { doesText, type Session } from "./session-words.ts";

const SHOWN_MAX = 8;

interface OnNowCardProps {
  /** The user or machine, by id, as a query of the API. */
  readonly of: { readonly user: string } | { readonly machine: string };
  /** The same as a filter of the session list's URL. */
  readonly earlier: { readonly user: string } | { readonly machine: string };
  /** Text shown if there are none. */
  readonly none: string;
  /** The link text of a session. */
  readonly nameOf: (session: Session) => string;
}

export function OnNowCard({ of, earlier, none, nameOf }: OnNowCardProps) {
  const sessions = useQuery(reading("GET /api/sessions", { query: { state: "live", ...of } }));
  const history = (
    <Link to="/sessions" search={{ show: "history", ...earlier }} className="text-accent hover:underline">
      History
    </Link>
  );
  return (
    <Card title="On now" actions={history}>
      <Loaded query={sessions} rows={2}>
        {(live) =>
          live.length === 0 ? (
            <p className="text-soft">{none}</p>
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
                      className="break-all font-medium text-accent hover:underline"
                    >
                      <bdi>{nameOf(session)}</bdi>
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
                <li className="text-soft">and {(live.length - SHOWN_MAX).toLocaleString("en")} more</li>
              ) : null}
            </ul>
          )
        }
      </Loaded>
    </Card>
  );
}
