/**
 * Refused attempts of the last 24 hours: a chart by hour, and the newest. They are certificates that
 * management refused, and logins that a machine refused by itself.
 *
 * @module
 */
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { reading } from "../../api/queries.ts";
import { Card } from "../../components/card.tsx";
import { Loaded, together } from "../../components/loaded.tsx";
import { dayBefore, EVENTS_MAX, type Event, Hours } from "./activity-card.tsx";

const BY_MANAGEMENT = "certificate.refuse";
const BY_MACHINES = "ssh.decision.deny";

export function RefusedCard({ nowMs }: { readonly nowMs: number }) {
  const since = dayBefore(nowMs);
  const refusedBy = (activity: string) =>
    reading("GET /api/events/audit", { query: { activity, since, limit: EVENTS_MAX } });
  const byManagement = useQuery(refusedBy(BY_MANAGEMENT));
  const byMachines = useQuery(refusedBy(BY_MACHINES));
  const all = (
    <span className="flex flex-wrap gap-x-4">
      <Link to="/audit" search={{ activity: BY_MANAGEMENT }} className="text-accent hover:underline">
        By management
      </Link>
      <Link to="/audit" search={{ activity: BY_MACHINES }} className="text-accent hover:underline">
        By machines
      </Link>
    </span>
  );
  return (
    <Card title="Refused, last 24 hours" actions={all}>
      <Loaded query={together(byManagement, byMachines)} rows={2}>
        {([some, others]) => (
          <Hours
            events={[...some, ...others].sort(newestFirst)}
            nowMs={nowMs}
            empty="Nobody was refused."
            tone="bad"
            asksWhy
          />
        )}
      </Loaded>
    </Card>
  );
}

function newestFirst(a: Event, b: Event): number {
  return b.timestamp.localeCompare(a.timestamp);
}
