/**
 * The recordings of a session, each with a link to play or watch it. Shows nothing if there are none.
 *
 * @module
 */
import { useQuery } from "@tanstack/react-query";
import { reading } from "../../api/queries.ts";
import { Badge } from "../../components/badge.tsx";
import { ButtonLink } from "../../components/button.tsx";
import { Card } from "../../components/card.tsx";
import { type Column, DataTable } from "../../components/data-table.tsx";
import { FailureNotice } from "../../components/notice.tsx";
import { Time } from "../../components/time.tsx";
import { kindText, type Recording, statusText } from "./recording-words.ts";
import { bytesText, lastedText } from "./session-words.ts";

export function RecordingsCard({ sessionId }: { readonly sessionId: string }) {
  const recordings = useQuery(reading("GET /api/recordings", { query: { connection_id: sessionId } }));
  if (recordings.data === undefined) {
    return recordings.error === null ? null : <FailureNotice error={recordings.error} />;
  }
  if (recordings.data.length === 0) return null;
  return (
    <Card title="Recordings">
      <DataTable label="Recordings" rows={recordings.data} rowId={({ id }) => id} columns={COLUMNS} />
    </Card>
  );
}

const COLUMNS: readonly Column<Recording>[] = [
  { id: "at", header: "Began", cell: ({ started_at }) => <Time iso={started_at} exact /> },
  { id: "kind", header: "Of", cell: kindText },
  {
    id: "lasted",
    header: "Lasted",
    from: "md",
    cell: ({ started_at, ended_at }) => lastedText({ started_at, ended_at }) ?? "-",
  },
  { id: "size", header: "Size", from: "lg", numeric: true, cell: ({ bytes }) => bytesText(bytes) ?? "-" },
  {
    id: "status",
    header: "State",
    cell: (recording) => (
      <span className="flex flex-wrap gap-1">
        <Badge
          tone={recording.status === "running" ? "good" : recording.status === "cut" ? "warn" : "plain"}
          dot={recording.status === "running"}
        >
          {statusText(recording)}
        </Badge>
        {recording.encrypted ? <Badge>encrypted</Badge> : null}
      </span>
    ),
  },
  {
    id: "act",
    header: "Actions",
    isActions: true,
    cell: ({ id, connection_id, status }) => (
      <ButtonLink
        size="small"
        to="/sessions/$sessionId/recordings/$recordingId"
        params={{ sessionId: connection_id, recordingId: id }}
      >
        {status === "running" ? "Watch" : "Play"}
      </ButtonLink>
    ),
  },
];
