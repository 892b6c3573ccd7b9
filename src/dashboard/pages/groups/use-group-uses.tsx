/**
 * Reads everything that may use a group.
 *
 * @module
 */
import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { reading } from "../../api/queries.ts";
import { type Read, together } from "../../components/loaded.tsx";
import { type GroupUse, usesOf } from "./group-uses.ts";

/** A function from a group id to its uses. Undefined until all possible uses are loaded. */
export function useGroupUses(): Read<(groupId: string) => readonly GroupUse[]> {
  const policies = useQuery(reading("GET /api/policies"));
  const keys = useQuery(reading("GET /api/setup-keys"));
  const groups = useQuery(reading("GET /api/groups"));
  const accounts = useQuery(reading("GET /api/accounts"));
  const { data, error, refetch } = together(policies, keys, groups, accounts);
  const [allPolicies, allKeys, allGroups, account] = [
    policies.data,
    keys.data,
    groups.data,
    accounts.data?.[0],
  ];
  const find = useMemo(
    () => (groupId: string) =>
      usesOf(groupId, {
        ...{ policies: allPolicies ?? [], keys: allKeys ?? [], groups: allGroups ?? [], account },
      }),
    [allPolicies, allKeys, allGroups, account],
  );
  return { data: data === undefined ? undefined : find, error, refetch };
}
