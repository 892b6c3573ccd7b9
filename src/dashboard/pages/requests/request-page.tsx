/**
 * The page of one request: everything that a decision depends on, and the decision.
 *
 * @module
 */
import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { reading } from "../../api/queries.ts";
import { Badge } from "../../components/badge.tsx";
import { ButtonLink } from "../../components/button.tsx";
import { Card, Facts } from "../../components/card.tsx";
import { Detail } from "../../components/detail.tsx";
import { durationText } from "../../components/durations.ts";
import { PageHeader } from "../../components/page-header.tsx";
import { Time } from "../../components/time.tsx";
import type { RequestTerms } from "../../terms/request-terms.ts";
import { DecideRequest } from "./decide-request.tsx";
import { similarBefore, waitingBeside } from "./other-requests.ts";
import { approversText, causeText, type Request, subjectText, toneOf } from "./request-words.ts";

const route = getRouteApi("/requests/$requestId");
const BACK = { to: "/requests", label: "All requests" } as const;

export function RequestPage() {
  const params = route.useParams();
  const begin = route.useSearch().do;
  const request = useQuery(reading("GET /api/access/requests/:requestId", { params }));
  return (
    <Detail
      query={request}
      what="request"
      back={BACK}
      gone="The link is not right, or the request is neither yours nor yours to decide."
    >
      {(known) => <Shown request={known} {...(begin === undefined ? {} : { begin })} />}
    </Detail>
  );
}

interface ShownProps {
  readonly request: Request;
  readonly begin?: RequestTerms["do"];
}

function Shown({ request, ...begin }: ShownProps) {
  return (
    <>
      <PageHeader
        title={`${request.user.name} asks for ${subjectText(request)}`}
        about={`Decided by ${approversText(request)}.`}
        actions={<DecideRequest request={request} {...begin} />}
      />
      <div className="grid grid-cols-1 gap-4 lg:grid-cols-2">
        <Asked request={request} />
        <Decided request={request} />
      </div>
      <Beside request={request} />
    </>
  );
}

/** Earlier requests like this one, and the way to the next that waits. */
function Beside({ request }: { readonly request: Request }) {
  const { data } = useQuery(reading("GET /api/access/requests"));
  if (data === undefined) return null;
  const similar = similarBefore(request, data);
  const [next, ...others] = waitingBeside(request, data);
  return (
    <>
      {similar.length === 0 ? null : (
        <Card title="Earlier requests like it" className="mt-4">
          <ul className="flex flex-col gap-2">
            {similar.map((one) => (
              <Earlier key={one.id} request={one} />
            ))}
          </ul>
        </Card>
      )}
      {next === undefined ? null : (
        <div className="mt-4">
          <ButtonLink to="/requests/$requestId" params={{ requestId: next.id }} search={{}}>
            {others.length === 0 ? "Next request" : `Next of ${others.length + 1} requests`}
          </ButtonLink>
        </div>
      )}
    </>
  );
}

function Earlier({ request }: { readonly request: Request }) {
  const { id, created_at, reason, decided_by, seconds } = request;
  return (
    <li className="flex flex-wrap items-baseline gap-x-3 gap-y-1">
      <Badge tone={toneOf(request)}>{request.state}</Badge>
      <Link
        to="/requests/$requestId"
        params={{ requestId: id }}
        search={{}}
        className="text-accent hover:underline"
      >
        <Time iso={created_at} />
      </Link>
      <span className="text-soft">
        for {durationText(seconds)}
        {decided_by === null ? "" : `, decided by ${decided_by.name}`}
      </span>
      <span className="min-w-0 break-words">{reason === "" ? "no reason given" : reason}</span>
    </li>
  );
}

function Asked({ request }: { readonly request: Request }) {
  const { user, device, machine, local_user, group, reason, seconds, created_at } = request;
  return (
    <Card title="Request">
      <Facts
        facts={[
          ["Person", user.email === "" ? user.name : `${user.name} (${user.email})`],
          ["Device", device?.name ?? null],
          ["Machine", machine?.name ?? null],
          ["As", local_user === null ? null : <code key="as">{local_user}</code>],
          ["Group", group?.name ?? null],
          ["Reason", reason === "" ? "none given" : reason],
          ["For", durationText(seconds)],
          ["Asked", <Time key="asked" iso={created_at} exact />],
        ]}
      />
    </Card>
  );
}

function Decided({ request }: { readonly request: Request }) {
  const { state, waits_until, decided_at, decided_by, note, ends_at, ended_at } = request;
  return (
    <Card title="Outcome">
      <Facts
        facts={[
          [
            "State",
            <Badge key="state" tone={toneOf(request)}>
              {state}
            </Badge>,
          ],
          ["Waits until", state === "waiting" ? <Time key="waits" iso={waits_until} exact /> : null],
          ["Decided by", decided_by?.name ?? null],
          ["Decided", decided_at === null ? null : <Time key="decided" iso={decided_at} exact />],
          ["Told", note === "" ? null : note],
          [
            state === "approved" ? "Ends" : "Was to end",
            ends_at === null ? null : <Time key="ends" iso={ends_at} exact />,
          ],
          ["Ended", ended_at === null ? null : <Time key="ended" iso={ended_at} exact />],
          ["Because", causeText(request)],
        ]}
      />
    </Card>
  );
}
