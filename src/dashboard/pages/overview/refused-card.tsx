/**
 * Refused attempts of the last day by the hour, and the newest of them.
 *
 * @module
 */
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { reading } from "../../api/queries.ts";
import { Card } from "../../components/card.tsx";
import { Loaded } from "../../components/loaded.tsx";
import { dayBefore, EVENTS_MAX, Hours } from "./activity-card.tsx";

const REFUSED = "ssh.decision.deny";

export function RefusedCard({ nowMs }: { readonly nowMs: number }) {
  const since = dayBefore(nowMs);
  const query = { activity: REFUSED, since, limit: EVENTS_MAX };
  const refused = useQuery(reading("GET /api/events/audit", { query }));
  const all = (
    <Link to="/audit" search={{ activity: REFUSED }} className="text-accent hover:underline">
      All of them
    </Link>
  );
  return (
    <Card title="Refused, last 24 hours" actions={all}>
      <Loaded query={refused} rows={2}>
        {(events) => <Hours events={events} nowMs={nowMs} empty="Nobody was refused." tone="bad" />}
      </Loaded>
    </Card>
  );
}
