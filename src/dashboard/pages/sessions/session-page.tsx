/**
 * The page of one session: its state, user and source, and what happened in it, in order.
 *
 * @module
 */
import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { reading } from "../../api/queries.ts";
import { seesAccount, useMe } from "../../app/me.ts";
import { Card, Facts } from "../../components/card.tsx";
import { Detail } from "../../components/detail.tsx";
import { PageHeader } from "../../components/page-header.tsx";
import { Time } from "../../components/time.tsx";
import { EndSession } from "./end-session.tsx";
import { RecordingsCard } from "./recordings-card.tsx";
import { SessionState } from "./session-columns.tsx";
import { SessionCourse } from "./session-course.tsx";
import { bytesText, doesText, lastedText, type SessionDetail } from "./session-words.ts";

const route = getRouteApi("/sessions/$sessionId");
const BACK = { to: "/sessions", label: "All sessions" } as const;
const WHY_GONE = "The link is not right, or it is older than the history that is kept, or it is not yours.";

export function SessionPage() {
  const { sessionId } = route.useParams();
  const session = useQuery(reading("GET /api/sessions/:sessionId", { params: { sessionId } }));
  return (
    <Detail query={session} what="session" back={BACK} gone={WHY_GONE}>
      {(detail) => <Session session={detail} />}
    </Detail>
  );
}

function Session({ session }: { readonly session: SessionDetail }) {
  return (
    <>
      <PageHeader
        title={`${session.user === "" ? "nobody" : session.user} on ${session.machine}`}
        about={
          <span className="flex flex-wrap items-center gap-2">
            <SessionState session={session} />
            <span>
              as <code className="font-mono">{session.local_user}</code>,{" "}
              {session.state === "ended" ? "began" : "since"} <Time iso={session.started_at} exact />
            </span>
          </span>
        }
        actions={<EndSession session={session} size="normal" />}
      />
      <div className="flex flex-col gap-4">
        <div className="grid grid-cols-1 gap-4 lg:grid-cols-2">
          <Who session={session} />
          <How session={session} />
        </div>
        <RecordingsCard sessionId={session.id} />
        <SessionCourse session={session} />
      </div>
    </>
  );
}

function Who({ session }: { readonly session: SessionDetail }) {
  const me = useMe();
  const { machine, machine_id, offline } = session;
  return (
    <Card title="Who and why">
      <Facts
        facts={[
          ["Person", session.user || "nobody: a machine by itself"],
          ["Device", session.device],
          ["From", session.source_address],
          ["Client", session.client_version],
          [
            "Machine",
            seesAccount(me) ? (
              <Link
                key="machine"
                to="/machines/$machineId"
                params={{ machineId: machine_id }}
                className="text-accent hover:underline"
              >
                {machine}
              </Link>
            ) : (
              machine
            ),
          ],
          ["Reason given", session.reason],
          ["Approved by", session.approved_by?.name ?? null],
          [
            "Let in by",
            seesAccount(me) && session.rule_id !== null ? <RuleName id={session.rule_id} /> : null,
          ],
          ["Management", offline ? "was away when it began" : null],
        ]}
      />
    </Card>
  );
}

function How({ session }: { readonly session: SessionDetail }) {
  const { ended_at, ended_by, path } = session;
  return (
    <Card title={session.state === "live" ? "How it goes" : "How it went"}>
      <Facts
        facts={[
          ["Runs now", session.state === "live" ? doesText(session) : null],
          ["Path", path],
          ["Ended", ended_at === null ? null : <Time key="ended" iso={ended_at} exact />],
          ["Lasted", lastedText(session)],
          ["Ended by", ended_by === null ? null : ended_by.name],
          ["Told", ended_by?.reason ?? null],
          ["Sent to it", bytesText(session.bytes_in)],
          ["Came from it", bytesText(session.bytes_out)],
          [
            "Session",
            <code key="id" className="break-all font-mono text-xs">
              {session.id}
            </code>,
          ],
        ]}
      />
      {session.state === "unknown" ? (
        <p className="mt-3 text-soft">
          Its end was never recorded and its machine does not report it: the machine is cut off, or its agent
          was killed.
        </p>
      ) : null}
    </Card>
  );
}

/** The rule by its policy's name and its own; by its id if it no longer exists. */
function RuleName({ id }: { readonly id: string }) {
  const policies = useQuery(reading("GET /api/policies"));
  const policy = policies.data?.find(({ rules }) => rules.some((rule) => rule.id === id));
  const rule = policy?.rules.find((one) => one.id === id);
  if (policies.isPending) return "…";
  if (policy === undefined) return <code className="break-all font-mono text-xs">{id}</code>;
  return (
    <span>
      {policy.name}
      {rule?.name && rule.name !== policy.name ? `: ${rule.name}` : ""}
    </span>
  );
}
