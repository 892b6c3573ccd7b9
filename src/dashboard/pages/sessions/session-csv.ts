/**
 * Sessions as comma-separated values, times in UTC.
 *
 * @module
 */
import { type CsvColumn, csvOf } from "../../components/csv.ts";
import type { Session } from "./session-words.ts";

const COLUMNS: readonly CsvColumn<Session>[] = [
  ["id", ({ id }) => id],
  ["state", ({ state }) => state],
  ["user", ({ user }) => user],
  ["user_id", ({ user_id }) => user_id],
  ["machine", ({ machine }) => machine],
  ["local_user", ({ local_user }) => local_user],
  ["device", ({ device }) => device],
  ["path", ({ path }) => path],
  ["source_address", ({ source_address }) => source_address],
  ["started_at", ({ started_at }) => started_at],
  ["ended_at", ({ ended_at }) => ended_at],
  ["end_reason", ({ end_reason }) => end_reason],
  ["reason", ({ reason }) => reason],
  ["rule_id", ({ rule_id }) => rule_id],
  ["bytes_in", ({ bytes_in }) => bytes_in],
  ["bytes_out", ({ bytes_out }) => bytes_out],
];

export function sessionCsv(sessions: readonly Session[]): string {
  return csvOf(COLUMNS, sessions);
}
