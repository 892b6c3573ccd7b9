/**
 * The signed-in user and their role's permissions, from the API. The API checks every request itself; this
 * only decides what to show.
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

/** Whether the user sees the whole account, or only their own things. */
export function seesAccount(me: Me): boolean {
  return me.permissions?.is_restricted === false;
}

/** Whether the user may do `operation` on a module of the API (`peers`, `users`, …). */
export function may(me: Me, module: string, operation: "read" | "create" | "update" | "delete"): boolean {
  return me.permissions?.modules[module]?.[operation] === true;
}
