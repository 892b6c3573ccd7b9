/**
 * The person who is signed in, and what their role may do, as the API says. The API judges every request by
 * itself; this only decides what is worth showing.
 *
 * @module
 */
import { useSuspenseQuery } from "@tanstack/react-query";
import type { Answer } from "../api/client.ts";
import { reading } from "../api/queries.ts";

export type Me = Answer<"GET /api/users/current">;

export function useMe(): Me {
  return useSuspenseQuery({ ...reading("GET /api/users/current"), staleTime: 60_000 }).data;
}

/** Whether they see the whole account, or their own things only. */
export function seesAccount(me: Me): boolean {
  return me.permissions?.is_restricted === false;
}

/** Whether `operation` on a module of the API (`peers`, `users`, …) is theirs. */
export function may(me: Me, module: string, operation: "read" | "create" | "update" | "delete"): boolean {
  return me.permissions?.modules[module]?.[operation] === true;
}
