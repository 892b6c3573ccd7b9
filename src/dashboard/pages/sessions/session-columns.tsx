/**
 * Columns of session lists.
 *
 * @module
 */
import { Link } from "@tanstack/react-router";
import { Badge, type Tone } from "../../components/badge.tsx";
import type { Column } from "../../components/data-table.tsx";
import { Time } from "../../components/time.tsx";
import { EndSession } from "./end-session.tsx";
import { bytesText, doesText, endText, lastedText, type Session } from "./session-words.ts";

const USER: Column<Session> = {
  id: "user",
  header: "Person",
  sortBy: ({ user }) => user.toLowerCase(),
  cell: (session) => <SessionLink session={session} text={session.user} />,
};
const MACHINE: Column<Session> = {
  id: "machine",
  header: "Machine",
  sortBy: ({ machine }) => machine.toLowerCase(),
  cell: ({ machine }) => machine,
};
const AS: Column<Session> = {
  id: "as",
  header: "As",
  sortBy: ({ local_user }) => local_user,
  cell: ({ local_user }) => <code className="font-mono text-xs">{local_user}</code>,
};
const DOES: Column<Session> = {
  id: "does",
  header: "What runs",
  cell: (session) => <span className="line-clamp-2 break-words">{doesText(session)}</span>,
};
const STARTED: Column<Session> = {
  id: "started",
  header: "Since",
  sortBy: ({ started_at }) => started_at,
  cell: ({ started_at }) => <Time iso={started_at} />,
};
const ACT: Column<Session> = {
  id: "act",
  header: "Actions",
  isActions: true,
  cell: (session) => <EndSession session={session} />,
};

/** Columns for live sessions. */
export const LIVE_COLUMNS: readonly Column<Session>[] = [
  USER,
  MACHINE,
  AS,
  DOES,
  { id: "path", header: "Path", from: "lg", cell: ({ path }) => path ?? "-" },
  STARTED,
  ACT,
];

/** Columns for the user's own live sessions. */
export const MY_COLUMNS: readonly Column<Session>[] = [
  { ...MACHINE, cell: (session) => <SessionLink session={session} text={session.machine} /> },
  AS,
  DOES,
  STARTED,
  ACT,
];

/** Columns for ended sessions. */
export const HISTORY_COLUMNS: readonly Column<Session>[] = [
  USER,
  MACHINE,
  AS,
  { ...STARTED, header: "Began", cell: ({ started_at }) => <Time iso={started_at} exact /> },
  {
    id: "lasted",
    header: "Lasted",
    from: "md",
    numeric: true,
    cell: (session) => lastedText(session) ?? "-",
  },
  {
    id: "out",
    header: "Out",
    from: "lg",
    numeric: true,
    sortBy: ({ bytes_out }) => bytes_out ?? 0,
    cell: ({ bytes_out }) => bytesText(bytes_out) ?? "-",
  },
  { id: "end", header: "End", cell: (session) => <SessionState session={session} /> },
];

function SessionLink({ session, text }: { readonly session: Session; readonly text: string }) {
  return (
    <Link
      to="/sessions/$sessionId"
      params={{ sessionId: session.id }}
      className="break-all font-medium text-accent hover:underline"
    >
      {text === "" ? "nobody" : text}
    </Link>
  );
}

function toneOf({ state, end_reason }: Session): Tone {
  if (state === "live") return "good";
  if (state === "unknown") return "warn";
  return end_reason === null ? "plain" : "warn";
}

/** A badge with the state of a session. */
export function SessionState({ session }: { readonly session: Session }) {
  return (
    <Badge tone={toneOf(session)} dot={session.state === "live"}>
      {endText(session)}
    </Badge>
  );
}
