/**
 * Setup keys as form drafts, and as rows of the CSV export.
 *
 * @module
 */
import type { Answer, Body } from "../../api/client.ts";
import type { CsvColumn } from "../../components/csv.ts";
import { isNever } from "../../components/moments.ts";

export type SetupKey = Answer<"GET /api/setup-keys">[number];

export interface KeyDraft {
  readonly name: string;
  readonly type: SetupKey["type"];
  /** Use limit of a reusable key. Empty for no limit. */
  readonly limit: string;
  /** Lifetime in seconds. 0 for no end; undefined if not typed yet. */
  readonly seconds: number | undefined;
  readonly groups: readonly string[];
  readonly ephemeral: boolean;
}

const WEEK_SECONDS = 604_800;
export const NEW_KEY: KeyDraft = {
  ...{ name: "", type: "one-off", limit: "", seconds: WEEK_SECONDS, groups: [], ephemeral: false },
};
const LIMIT_MAX = 1_000_000;

/** The request body. Null if something is missing or invalid. */
export function keyWriteOf(draft: KeyDraft): Body<"POST /api/setup-keys"> | null {
  const limit = draft.type === "one-off" ? 1 : limitOf(draft.limit);
  const name = draft.name.trim();
  if (name === "" || limit === null || draft.seconds === undefined) return null;
  return {
    ...{ name, type: draft.type, expires_in: draft.seconds, usage_limit: limit },
    auto_groups: [...draft.groups],
    ephemeral: draft.ephemeral,
  };
}

/** How often the key may be used; 0 for no limit. Null if the input is invalid. */
export function limitOf(typed: string): number | null {
  const text = typed.trim();
  if (text === "") return 0;
  const limit = /^\d{1,7}$/.test(text) ? Number(text) : 0;
  return limit >= 1 && limit <= LIMIT_MAX ? limit : null;
}

/** Such as `3 of 10`, or `3` if there is no limit. */
export function usedText({ used_times, usage_limit }: Pick<SetupKey, "used_times" | "usage_limit">): string {
  const used = used_times.toLocaleString("en");
  return usage_limit === 0 ? used : `${used} of ${usage_limit.toLocaleString("en")}`;
}

/** Columns of the CSV export. */
export const KEYS_CSV: readonly CsvColumn<SetupKey>[] = [
  ["id", ({ id }) => id],
  ["name", ({ name }) => name],
  ["key", ({ key }) => key],
  ["type", ({ type }) => type],
  ["state", ({ state }) => state],
  ["used_times", ({ used_times }) => used_times],
  ["usage_limit", ({ usage_limit }) => usage_limit],
  ["expires", ({ expires }) => (isNever(expires) ? "" : expires)],
  ["last_used", ({ last_used }) => (isNever(last_used) ? "" : last_used)],
];
