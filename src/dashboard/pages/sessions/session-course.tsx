/**
 * The course of a session: what ran, what was forwarded, what was done with files, and what was refused.
 * Empty parts are left out.
 *
 * @module
 */
import { Badge } from "../../components/badge.tsx";
import { Card } from "../../components/card.tsx";
import { type Column, DataTable } from "../../components/data-table.tsx";
import { Note } from "../../components/notice.tsx";
import { Time } from "../../components/time.tsx";
import { bytesText, lastedText, type SessionDetail } from "./session-words.ts";

type Channel = SessionDetail["channels"][number];
type Forward = SessionDetail["forwarded"][number] & { readonly key: string };
type Transfer = SessionDetail["transfers"][number] & { readonly key: string };
type Decision = SessionDetail["decisions"][number] & { readonly key: string };

export function SessionCourse({ session }: { readonly session: SessionDetail }) {
  const { channels, forwarded, transfers, decisions, truncated } = session;
  const denied = keyed(decisions.filter(({ outcome }) => outcome === "deny"));
  return (
    <>
      <Card title="What ran">
        {channels.length === 0 ? <p className="text-soft">No shell, command or file transfer yet.</p> : null}
        {channels.length === 0 ? null : (
          <DataTable label="What ran" rows={channels} rowId={({ number }) => String(number)} columns={RAN} />
        )}
      </Card>
      {forwarded.length === 0 ? null : (
        <Card title="Forwarded">
          <DataTable label="Forwarded" rows={keyed(forwarded)} rowId={({ key }) => key} columns={FORWARDED} />
        </Card>
      )}
      {transfers.length === 0 ? null : (
        <Card title="Files">
          <DataTable label="Files" rows={keyed(transfers)} rowId={({ key }) => key} columns={FILES} />
        </Card>
      )}
      {denied.length === 0 ? null : (
        <Card title="Refused">
          <DataTable label="Refused" rows={denied} rowId={({ key }) => key} columns={REFUSED} />
        </Card>
      )}
      {truncated ? <Note>Only the first events are shown; the audit log has all of them.</Note> : null}
    </>
  );
}

/** Rows have no ids, but their places never change, so the index is the key. */
function keyed<T>(rows: readonly T[]): (T & { readonly key: string })[] {
  return rows.map((row, index) => ({ ...row, key: String(index) }));
}

const KINDS = { shell: "shell", exec: "command", sftp: "files" } as const;

const RAN: readonly Column<Channel>[] = [
  { id: "at", header: "Began", cell: ({ started_at }) => <Time iso={started_at} exact /> },
  {
    id: "what",
    header: "What",
    cell: ({ kind, command }) =>
      command === null ? KINDS[kind] : <code className="break-all font-mono text-xs">{command}</code>,
  },
  { id: "pty", header: "Terminal", from: "lg", cell: ({ pty }) => (pty ? "yes" : "no") },
  { id: "lasted", header: "Lasted", from: "md", numeric: true, cell: (one) => lastedText(one) ?? "-" },
  { id: "exit", header: "Exit", cell: (channel) => <Exit channel={channel} /> },
];

function Exit({ channel }: { readonly channel: Channel }) {
  const { ended_at, exit_status, signal } = channel;
  if (ended_at === null) return <Badge>open</Badge>;
  if (signal !== null) return <Badge tone="warn">signal {signal}</Badge>;
  return <Badge tone={exit_status === 0 ? "good" : "warn"}>{exit_status ?? "not known"}</Badge>;
}

const FORWARDED: readonly Column<Forward>[] = [
  { id: "at", header: "Began", cell: ({ started_at }) => <Time iso={started_at} exact /> },
  { id: "kind", header: "Kind", cell: ({ kind }) => kind.replaceAll("_", " ") },
  {
    id: "to",
    header: "Where",
    cell: ({ destination }) => <code className="break-all font-mono text-xs">{destination}</code>,
  },
  { id: "in", header: "In", from: "md", numeric: true, cell: ({ bytes_in }) => bytesText(bytes_in) ?? "-" },
  {
    id: "out",
    header: "Out",
    from: "md",
    numeric: true,
    cell: ({ bytes_out }) => bytesText(bytes_out) ?? "-",
  },
  {
    id: "end",
    header: "End",
    cell: ({ ended_at, end_reason }) =>
      ended_at === null ? <Badge>open</Badge> : (end_reason ?? "ended").replaceAll("_", " "),
  },
];

const FILES: readonly Column<Transfer>[] = [
  { id: "at", header: "When", cell: ({ at }) => <Time iso={at} exact /> },
  { id: "op", header: "Did", cell: ({ op }) => op },
  {
    id: "path",
    header: "File",
    cell: ({ path, target }) => (
      <code className="break-all font-mono text-xs">{target === null ? path : `${path} → ${target}`}</code>
    ),
  },
  {
    id: "read",
    header: "Read",
    from: "md",
    numeric: true,
    cell: ({ bytes_read }) => bytesText(bytes_read) ?? "-",
  },
  {
    id: "written",
    header: "Written",
    from: "md",
    numeric: true,
    cell: ({ bytes_written }) => bytesText(bytes_written) ?? "-",
  },
  { id: "status", header: "Outcome", cell: ({ status }) => status.replaceAll("_", " ") },
];

const REFUSED: readonly Column<Decision>[] = [
  { id: "at", header: "When", cell: ({ at }) => <Time iso={at} exact /> },
  { id: "action", header: "What", cell: ({ action }) => action.kind.replaceAll("_", " ") },
  { id: "reason", header: "Why", cell: ({ reason }) => (reason ?? "").replaceAll("_", " ") },
];
