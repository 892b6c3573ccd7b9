/**
 * SSH connections of the last 24 hours: a chart by hour, and the newest of them.
 *
 * @module
 */
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { Answer } from "../../api/client.ts";
import { reading } from "../../api/queries.ts";
import { Bars } from "../../components/bars.tsx";
import { Card } from "../../components/card.tsx";
import { Loaded } from "../../components/loaded.tsx";
import { Time } from "../../components/time.tsx";
import { hourly, hourName } from "./hourly.ts";
import { WhoWhere } from "./who-where.tsx";

export type Event = Answer<"GET /api/events/audit">[number];

const HOURS = 24;
/** Narrow windows show the time below the text. */
const ROW = "flex items-baseline justify-between gap-x-3 max-sm:flex-col";
const NEWEST = 5;
export const EVENTS_MAX = "1000";
const OPENED = "ssh.connection.open";

/**
 * Start of the 24 hours that end with the current hour, in ISO 8601. It changes once an hour, which keeps the
 * query key stable.
 */
export function dayBefore(nowMs: number): string {
  return new Date(Math.floor(nowMs / 3_600_000) * 3_600_000 - (HOURS - 1) * 3_600_000).toISOString();
}

export function ActivityCard({ nowMs }: { readonly nowMs: number }) {
  const since = dayBefore(nowMs);
  const opened = useQuery(
    reading("GET /api/events/audit", { query: { activity: OPENED, since, limit: EVENTS_MAX } }),
  );
  const all = (
    <Link to="/audit" search={{ activity: OPENED }} className="text-accent hover:underline">
      All
    </Link>
  );
  return (
    <Card title="Connections, last 24 hours" actions={all}>
      <Loaded query={opened} rows={2}>
        {(events) => <Hours events={events} nowMs={nowMs} empty="Nobody has connected to a machine." />}
      </Loaded>
    </Card>
  );
}

interface HoursProps {
  readonly events: readonly Event[];
  readonly nowMs: number;
  readonly empty: string;
  readonly tone?: "accent" | "bad";
  /** Links each event to the Access page, which explains the decision rule by rule. */
  readonly asksWhy?: boolean;
}

/** A bar chart by hour above the newest events. */
export function Hours({ events, nowMs, empty, tone = "accent", asksWhy = false }: HoursProps) {
  if (events.length === 0) return <p className="text-soft">{empty}</p>;
  const counts = hourly(
    events.map(({ timestamp }) => timestamp),
    HOURS,
    nowMs,
  );
  const label = `${events.length.toLocaleString("en")} in the last 24 hours, by the hour`;
  return (
    <>
      <Bars label={label} counts={counts} nameOf={(i) => hourName(i, HOURS, nowMs)} tone={tone} />
      <p className="mt-1 flex justify-between text-soft text-xs">
        <span>{hourName(0, HOURS, nowMs)}</span>
        <span>now</span>
      </p>
      <ul className="mt-3 flex flex-col gap-1.5">
        {events.slice(0, NEWEST).map((event) => (
          <li key={event.id} className={ROW}>
            <span className="min-w-0 sm:truncate">
              {asksWhy ? <Why event={event} /> : <Who event={event} />}
            </span>
            <span className="shrink-0 text-soft text-xs">
              <Time iso={event.timestamp} />
            </span>
          </li>
        ))}
      </ul>
    </>
  );
}

function Why({ event }: { readonly event: Event }) {
  const [machine, as] = [machineOf(event), localUserOf(event)];
  const words = <Who event={event} />;
  if (event.initiator_email === "" || machine === undefined || as === undefined) return words;
  const search = { user: event.initiator_email, machine, as };
  return (
    <Link to="/access" search={search} className="text-accent hover:underline">
      {words}
    </Link>
  );
}

/** Such as `ada@example.com as deploy on web1`; parts that the event lacks are left out. */
function Who({ event }: { readonly event: Event }) {
  const who = event.initiator_email || event.initiator_name || "somebody";
  return <WhoWhere who={who} localUser={localUserOf(event)} machine={machineOf(event)} />;
}

/** A machine's events name the machine in `machine`, those of management in `target`. */
function machineOf({ meta }: Event): string | undefined {
  return meta.machine ?? meta.target;
}

function localUserOf({ meta }: Event): string | undefined {
  return meta.local_user ?? meta.localUser;
}
