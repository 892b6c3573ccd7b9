/**
 * The page of one recording: a player, or a live view while the session is running. For an encrypted
 * recording it shows the command that plays it elsewhere.
 *
 * @module
 */
import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { useState } from "react";
import { reading } from "../../api/queries.ts";
import { Badge } from "../../components/badge.tsx";
import { ButtonLink } from "../../components/button.tsx";
import { Card } from "../../components/card.tsx";
import { CopyLine } from "../../components/copy-button.tsx";
import { Detail } from "../../components/detail.tsx";
import { Note } from "../../components/notice.tsx";
import { PageHeader } from "../../components/page-header.tsx";
import { Time } from "../../components/time.tsx";
import { EndSession } from "./end-session.tsx";
import { LoadedPlayer } from "./loaded-player.tsx";
import { commandFor, cutText, kindText, type Recording, statusText } from "./recording-words.ts";
import { Watch } from "./watch.tsx";

const route = getRouteApi("/sessions/$sessionId/recordings/$recordingId");
const BACK = { to: "/sessions", label: "All sessions" } as const;

export function RecordingPage() {
  const { recordingId } = route.useParams();
  const recording = useQuery(reading("GET /api/recordings/:recordingId", { params: { recordingId } }));
  return (
    <Detail
      query={recording}
      what="recording"
      back={BACK}
      gone="It was deleted when its days were over, or it is not yours to see, or the link is not right."
    >
      {(one) => <Whole key={one.id} recording={one} />}
    </Detail>
  );
}

function Whole({ recording }: { readonly recording: Recording }) {
  const { sessionId } = route.useParams();
  const session = useQuery(reading("GET /api/sessions/:sessionId", { params: { sessionId } }));
  const isRunning = recording.status === "running";
  return (
    <>
      <PageHeader
        title={`Recording of ${recording.local_user} on ${recording.machine || "a machine"}`}
        about={
          <span className="flex flex-wrap items-center gap-2">
            <Badge tone={isRunning ? "good" : recording.status === "cut" ? "warn" : "plain"} dot={isRunning}>
              {statusText(recording)}
            </Badge>
            <span>
              {kindText(recording)}, since <Time iso={recording.started_at} exact />, in{" "}
              <Link to="/sessions/$sessionId" params={{ sessionId }} className="text-accent underline">
                {session.data?.user ? `the session of ${session.data.user}` : "its session"}
              </Link>
            </span>
          </span>
        }
        actions={session.data === undefined ? null : <EndSession session={session.data} size="normal" />}
      />
      <div className="flex flex-col gap-4">
        <Cut recording={recording} />
        <Screen recording={recording} />
      </div>
    </>
  );
}

function Cut({ recording }: { readonly recording: Recording }) {
  const why = cutText(recording);
  return why === null ? null : <Note tone="warn">The recording is not whole: {why}.</Note>;
}

function Screen({ recording }: { readonly recording: Recording }) {
  const { from } = route.useSearch();
  // The live view stays on the screen after the session has ended.
  const [wasRunning] = useState(recording.status === "running");
  if (recording.encrypted) return <Encrypted recording={recording} />;
  if (!wasRunning || from === "start") return <LoadedPlayer recording={recording} />;
  return (
    <>
      <Watch recording={recording} />
      <div>
        <ButtonLink to="." search={{ from: "start" }} size="small">
          Play from the beginning
        </ButtonLink>
      </div>
    </>
  );
}

/** Pages never get a decryption key, because the server that sends the page could read it too. */
function Encrypted({ recording }: { readonly recording: Recording }) {
  return (
    <Card title="Encrypted">
      <p className="mb-3">
        Only those it is encrypted for can see it: not this server, and so not this page. Play it in a
        terminal, with the file that holds the key of one of them. The file stays on your computer.
      </p>
      <CopyLine text={commandFor(recording)} label="Copy the command" />
      <p className="mt-4 mb-1 font-medium">Encrypted for</p>
      <ul className="flex flex-col gap-1">
        {recording.recipients.map((recipient) => (
          <li key={recipient}>
            <code className="break-all font-mono text-xs">{recipient}</code>
          </li>
        ))}
      </ul>
    </Card>
  );
}
