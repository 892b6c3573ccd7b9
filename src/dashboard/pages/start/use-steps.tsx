/**
 * Reads the first steps and which of them are done, with live updates.
 *
 * @module
 */
import { useQuery } from "@tanstack/react-query";
import type { Answer } from "../../api/client.ts";
import { reading } from "../../api/queries.ts";
import { type Read, together } from "../../components/loaded.tsx";
import { type Step, stepsOf } from "./steps.ts";

export type Account = Answer<"GET /api/accounts">[number];

export interface Steps {
  readonly account: Account;
  readonly steps: readonly Step[];
}

const CONNECTED = { activity: "ssh.connection.open", limit: "1" };

export function useSteps(): Read<Steps> {
  const read = together(
    useQuery(reading("GET /api/accounts")),
    useQuery(reading("GET /api/peers")),
    useQuery(reading("GET /api/users")),
    useQuery(reading("GET /api/policies")),
    useQuery(reading("GET /api/events/audit", { query: CONNECTED })),
  );
  if (read.data === undefined) return { ...read, data: undefined };
  const [[account], peers, users, policies, connected] = read.data;
  if (account === undefined) return { ...read, data: undefined };
  const name = account.settings.organization_name ?? "";
  const steps = stepsOf({ name, peers, users, policies, hasConnected: connected.length > 0 });
  return { ...read, data: { account, steps } };
}
