/**
 * Access tables and differences as rows, one per person, machine and local user.
 *
 * @module
 */
import type { MapRule, MapSettings, MapUser } from "../../wire/network-map.ts";
import type { AccountPeer } from "../maps/compile.ts";
import { shortWords } from "./access.ts";
import { differenceOf } from "./difference.ts";
import type { DifferenceBlock } from "./difference-types.ts";

/** One row, by ids. `*` stands for every local user without a row of its own. */
export interface IdRow {
  readonly userId: string;
  readonly machineId: string;
  readonly localUser: string;
  readonly words: readonly string[];
}

/** Input of a table. */
export interface TableInput {
  readonly users: readonly MapUser[];
  readonly peers: readonly AccountPeer[];
  readonly machines: readonly AccountPeer[];
  readonly settings: MapSettings;
  readonly rules: readonly MapRule[];
  readonly nowSeconds: number;
}

/** Who may be which local user on which machine, as the difference from no rules at all. */
export function accessTable({ rules, ...input }: TableInput): IdRow[] {
  return rowsOf(differenceOf({ ...input, before: [], after: rules }), "gained", Number.MAX_SAFE_INTEGER).rows;
}

/** Rows of a difference, at most `max` of them, and how many there are. */
export function rowsOf(
  blocks: readonly DifferenceBlock[],
  side: "gained" | "lost",
  max: number,
): { readonly rows: IdRow[]; readonly total: number } {
  const rows: IdRow[] = [];
  let total = 0;
  for (const { users, machines, changes } of blocks) {
    const told = changes.filter((change) => change[side].length > 0);
    total += users.length * machines.length * told.length;
    for (const userId of users) {
      if (rows.length >= max) break;
      for (const machineId of machines) {
        for (const { localUser, ...change } of told) {
          if (rows.length < max)
            rows.push({ userId, machineId, localUser, words: shortWords(new Set(change[side])) });
        }
      }
    }
  }
  return { rows, total };
}
