/**
 * The first steps as they stand, read again as things happen.
 *
 * @module
 */
import { useQuery } from "@tanstack/react-query";
import type { Answer } from "../../api/client.ts";
import { reading } from "../../api/queries.ts";
import { type Step, stepsOf } from "./steps.ts";

export type Account = Answer<"GET /api/accounts">[number];

export interface Steps {
  readonly account: Account;
  readonly steps: readonly Step[];
}

const CONNECTED = { activity: "ssh.connection.open", limit: "1" };

/** Null: not known yet. */
export function useSteps(): Steps | null {
  const accounts = useQuery(reading("GET /api/accounts"));
  const peers = useQuery(reading("GET /api/peers"));
  const users = useQuery(reading("GET /api/users"));
  const policies = useQuery(reading("GET /api/policies"));
  const connected = useQuery(reading("GET /api/events/audit", { query: CONNECTED }));
  const account = accounts.data?.[0];
  if (account === undefined || !peers.data || !users.data || !policies.data || !connected.data) return null;
  const steps = stepsOf({
    name: account.settings.organization_name ?? "",
    peers: peers.data,
    users: users.data,
    policies: policies.data,
    hasConnected: connected.data.length > 0,
  });
  return { account, steps };
}
