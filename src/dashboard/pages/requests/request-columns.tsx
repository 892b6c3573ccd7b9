/**
 * Columns of request lists.
 *
 * @module
 */
import { Link } from "@tanstack/react-router";
import { Badge } from "../../components/badge.tsx";
import type { Column } from "../../components/data-table.tsx";
import { durationText } from "../../components/durations.ts";
import { Time } from "../../components/time.tsx";
import { type Request, subjectText, toneOf } from "./request-words.ts";

const WHAT: Column<Request> = {
  id: "what",
  header: "What",
  sortBy: subjectText,
  cell: (request) => (
    <Link
      to="/requests/$requestId"
      params={{ requestId: request.id }}
      search={{}}
      className="font-medium text-accent hover:underline"
    >
      {subjectText(request)}
    </Link>
  ),
};
const WHO: Column<Request> = {
  id: "who",
  header: "Who asks",
  sortBy: ({ user }) => user.name.toLowerCase(),
  cell: ({ user }) => user.name,
};
const REASON: Column<Request> = {
  id: "reason",
  header: "Reason",
  cell: ({ reason }) => <span className="line-clamp-2 break-words">{reason === "" ? "-" : reason}</span>,
};
const FOR: Column<Request> = {
  id: "for",
  header: "For",
  from: "lg",
  sortBy: ({ seconds }) => seconds,
  cell: ({ seconds }) => durationText(seconds),
};
const STATE: Column<Request> = {
  id: "state",
  header: "State",
  sortBy: ({ state }) => state,
  cell: (request) => <Badge tone={toneOf(request)}>{request.state}</Badge>,
};
const ASKED: Column<Request> = {
  id: "asked",
  header: "Asked",
  sortBy: ({ created_at }) => created_at,
  cell: ({ created_at }) => <Time iso={created_at} />,
};

export const REQUEST_COLUMNS: readonly Column<Request>[] = [WHAT, WHO, REASON, FOR, STATE, ASKED];

/** Columns for the user's own requests. */
export const MY_REQUEST_COLUMNS: readonly Column<Request>[] = [WHAT, REASON, FOR, STATE, ASKED];
