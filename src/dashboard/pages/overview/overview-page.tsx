/**
 * The overview: what needs attention, machines by state, recent connections and refused attempts.
 *
 * @module
 */
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { ArrowRight, CircleCheck, TriangleAlert } from "lucide-react";
import { type ReactNode, useState } from "react";
import { reading } from "../../api/queries.ts";
import { ButtonLink } from "../../components/button.tsx";
import { Card } from "../../components/card.tsx";
import { Loaded, together } from "../../components/loaded.tsx";
import { PageHeader } from "../../components/page-header.tsx";
import { type Request, subjectText } from "../requests/request-words.ts";
import { Checklist } from "../start/checklist.tsx";
import { ActivityCard } from "./activity-card.tsx";
import { MachinesCard } from "./machines-card.tsx";
import { type Need, needsOf } from "./needs.ts";
import { RefusedCard } from "./refused-card.tsx";
import { WhoIsOnCard } from "./who-is-on-card.tsx";

/** How many requests get a line of their own. */
const REQUESTS_SHOWN = 3;
const ROW =
  "flex min-h-10 items-center gap-2.5 rounded-md px-2 no-underline hover:bg-sunken pointer-coarse:min-h-12";

export function OverviewPage() {
  const [nowMs] = useState(() => Date.now());
  return (
    <>
      <PageHeader
        title="Overview"
        actions={
          <ButtonLink to="/machines/add" weight="primary">
            Add a machine
          </ButtonLink>
        }
      />
      <div className="grid grid-cols-1 items-start gap-4 lg:grid-cols-2">
        <div className="flex min-w-0 flex-col gap-4">
          <Checklist />
          <NeedsCard nowMs={nowMs} />
          <RefusedCard nowMs={nowMs} />
        </div>
        <div className="flex min-w-0 flex-col gap-4">
          <MachinesCard />
          <WhoIsOnCard />
          <ActivityCard nowMs={nowMs} />
        </div>
      </div>
    </>
  );
}

function NeedsCard({ nowMs }: { readonly nowMs: number }) {
  const peers = useQuery(reading("GET /api/peers"));
  const users = useQuery(reading("GET /api/users"));
  const keys = useQuery(reading("GET /api/setup-keys"));
  const rollouts = useQuery(reading("GET /api/rollouts"));
  const waiting = useQuery(reading("GET /api/access/requests", { query: { state: "waiting" } }));
  return (
    <Card title="Needs you">
      <Loaded query={together(peers, users, keys, rollouts, waiting)} rows={2}>
        {([allPeers, allUsers, allKeys, allRollouts, asked]) => {
          const mine = asked.filter(({ may_decide }) => may_decide);
          const requests = Math.max(0, mine.length - REQUESTS_SHOWN);
          const things = { peers: allPeers, users: allUsers, keys: allKeys, rollouts: allRollouts };
          const needs = needsOf({ ...things, requests, nowMs });
          return <Needs needs={needs} requests={mine.slice(0, REQUESTS_SHOWN)} />;
        }}
      </Loaded>
    </Card>
  );
}

interface NeedsProps {
  readonly needs: readonly Need[];
  /** Requests that get a line of their own, linked to the decision. */
  readonly requests: readonly Request[];
}

function Needs({ needs, requests }: NeedsProps) {
  if (needs.length === 0 && requests.length === 0) {
    return (
      <p className="flex items-center gap-2 text-soft">
        <CircleCheck size={18} aria-hidden="true" className="text-good" />
        Nothing waits for you.
      </p>
    );
  }
  return (
    <ul className="-mx-2 flex flex-col">
      {requests.map((request) => (
        <li key={request.id}>
          <Link
            to="/requests/$requestId"
            params={{ requestId: request.id }}
            search={{ do: "approve" }}
            className={ROW}
          >
            <TriangleAlert size={18} aria-hidden="true" className="text-warn" />
            <span className="min-w-0 flex-1">
              <bdi>{request.user.name}</bdi> asks for {subjectText(request)}
            </span>
            <ArrowRight size={16} aria-hidden="true" className="text-soft" />
          </Link>
        </li>
      ))}
      {needs.map(({ id, text, to, search, tone }) => (
        <li key={id}>
          <Row to={to} search={search}>
            <TriangleAlert
              size={18}
              aria-hidden="true"
              className={tone === "bad" ? "text-bad" : "text-warn"}
            />
            <span className="min-w-0 flex-1">{text}</span>
          </Row>
        </li>
      ))}
    </ul>
  );
}

interface RowProps {
  readonly to: Need["to"];
  readonly search: Need["search"];
  readonly children: ReactNode;
}

function Row({ to, search, children }: RowProps) {
  return (
    <Link to={to} search={search} className={ROW}>
      {children}
      <ArrowRight size={16} aria-hidden="true" className="text-soft" />
    </Link>
  );
}
