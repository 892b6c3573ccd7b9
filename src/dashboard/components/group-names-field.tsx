/**
 * Groups picked by name and kept by id. `All` is left out, because everything is in it.
 *
 * @module
 */
import { useQuery } from "@tanstack/react-query";
import { reading } from "../api/queries.ts";
import type { FieldProps } from "./field.tsx";
import { NamesField } from "./names-field.tsx";

/** Maps the id of a group to its name, or to `…` while the names are loading. */
export function useGroupNames(): (id: string) => string {
  const groups = useQuery(reading("GET /api/groups"));
  return (id) => (groups.isPending ? "…" : (groups.data?.find((one) => one.id === id)?.name ?? id));
}

interface GroupNamesFieldProps extends FieldProps {
  readonly ids: readonly string[];
  readonly onIds: (ids: readonly string[]) => void;
  /** Whether a picked group replaces the previous one. */
  readonly single?: boolean;
}

export function GroupNamesField({ ids, onIds, ...field }: GroupNamesFieldProps) {
  const groups = useQuery(reading("GET /api/groups"));
  const all = (groups.data ?? []).filter(({ name }) => name !== "All");
  const nameOf = (id: string): string => all.find((one) => one.id === id)?.name ?? id;
  const idOf = (name: string): string => all.find((one) => one.name === name)?.id ?? name;
  return (
    <NamesField
      {...field}
      values={ids.map(nameOf)}
      onValues={(names) => onIds(names.map(idOf))}
      choices={all.map(({ name, peers_count }) => ({ name, note: peersText(peers_count) }))}
      add="Add a group"
    />
  );
}

function peersText(count: number): string {
  return count === 1 ? "1 peer" : `${count.toLocaleString("en")} peers`;
}
