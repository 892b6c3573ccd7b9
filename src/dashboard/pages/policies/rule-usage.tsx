/**
 * Use of each rule: people and machines now, and the last decision.
 *
 * @module
 */
import { useQuery } from "@tanstack/react-query";
import type { Answer } from "../../api/client.ts";
import { reading } from "../../api/queries.ts";
import { Time } from "../../components/time.tsx";
import { reachWords } from "./reach-words.ts";

export type RuleUse = Answer<"GET /api/policy/usage">["rules"][number];

/** Uses by rule id. Empty while they are loading: the list does not wait for them. */
export function useRuleUses(): ReadonlyMap<string, RuleUse> {
  const { data } = useQuery(reading("GET /api/policy/usage"));
  return new Map((data?.rules ?? []).map((use) => [use.rule_id, use]));
}

/** Nothing for a rule about networks, whose use machines do not report. */
export function RuleUsage({ use }: { readonly use: RuleUse | undefined }) {
  if (use === undefined || use.unused === null) return null;
  return (
    <span className={use.unused ? "block text-warn text-xs" : "block text-soft text-xs"}>
      {reachWords(use)}; <LastUse use={use} />
    </span>
  );
}

function LastUse({ use: { last_decided_at, counted_since, unused } }: { readonly use: RuleUse }) {
  if (last_decided_at !== null) {
    return (
      <>
        {unused ? "unused, last decided " : "last decided "}
        <Time iso={last_decided_at} />
      </>
    );
  }
  return (
    <>
      {unused ? "unused for 90 days; nothing decided since " : "nothing decided since "}
      <Time iso={counted_since} />
    </>
  );
}
