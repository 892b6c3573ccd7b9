/**
 * Use of each rule: people and machines now, and the last decision.
 *
 * @module
 */
import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { isSshProtocol } from "../../../policy/decide/snapshot.ts";
import type { Answer } from "../../api/client.ts";
import { reading } from "../../api/queries.ts";
import { classes } from "../../components/class-names.ts";
import { Time } from "../../components/time.tsx";
import { reachWords } from "./reach-words.ts";

export type RuleUse = Answer<"GET /api/policy/usage">["rules"][number];

/** Uses by rule id. Null while they are loading: the list does not wait for them. */
export type RuleUses = ReadonlyMap<string, RuleUse> | null;

export function useRuleUses(): RuleUses {
  const { data, isPending } = useQuery(reading("GET /api/policy/usage"));
  if (isPending) return null;
  return new Map((data?.rules ?? []).map((use) => [use.rule_id, use]));
}

type FileProtocol = Parameters<typeof isSshProtocol>[0];

interface RuleUsageProps {
  readonly uses: RuleUses;
  readonly rule: { readonly id: string; readonly protocol: string };
}

/** Nothing for a rule about networks, whose use machines do not report. */
export function RuleUsage({ uses, rule }: RuleUsageProps) {
  // The line has its place before it is known, so that nothing moves.
  if (uses === null) return isSshProtocol(rule as FileProtocol) ? <Line>{"\u00a0"}</Line> : null;
  const use = uses.get(rule.id);
  if (use === undefined || use.unused === null) return null;
  return (
    <Line isUnused={use.unused}>
      {reachWords(use)}; {use.unused ? "unused for 90 days, " : null}
      <LastUse use={use} />
    </Line>
  );
}

function Line({ isUnused = false, children }: { readonly isUnused?: boolean; readonly children: ReactNode }) {
  return <span className={classes("block text-xs", isUnused ? "text-warn" : "text-soft")}>{children}</span>;
}

function LastUse({ use: { last_decided_at, counted_since } }: { readonly use: RuleUse }) {
  return last_decided_at === null ? (
    <>
      not used; counting began <Time iso={counted_since} />
    </>
  ) : (
    <>
      last used <Time iso={last_decided_at} />
    </>
  );
}
