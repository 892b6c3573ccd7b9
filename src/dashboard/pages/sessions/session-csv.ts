/**
 * The CSV columns of sessions. Times are in UTC.
 *
 * @module
 */
import type { CsvColumn } from "../../components/csv.ts";
import type { Session } from "./session-words.ts";

export const SESSION_CSV: readonly CsvColumn<Session>[] = [
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
