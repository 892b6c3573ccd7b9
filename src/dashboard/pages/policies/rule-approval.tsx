/**
 * Rule fields: whether a login needs approval, by whom, and how long an approval counts.
 *
 * @module
 */
import { DurationField } from "../../components/duration-field.tsx";
import { CheckField } from "../../components/field.tsx";
import { NamesField } from "../../components/names-field.tsx";
import { withField } from "./policy-draft.ts";
import type { RulePartProps } from "./rule-part.ts";

export function RuleApproval({ rule, onRule, choices, problems }: RulePartProps) {
  const { ssh, approver_groups, approval_seconds } = rule;
  const isNeeded = ssh?.require_approval === true;
  const hasTerms = approver_groups !== undefined || approval_seconds !== undefined;
  const need = (needed: boolean): void => {
    const next = withField(ssh ?? {}, "require_approval", needed ? true : undefined);
    const changed = withField(rule, "ssh", Object.keys(next).length === 0 ? undefined : next);
    const { approver_groups: _, approval_seconds: __, ...withoutTerms } = changed;
    onRule(needed ? changed : withoutTerms);
  };
  return (
    <div className="flex flex-col gap-4 sm:col-span-2">
      <CheckField label="Only once approved" checked={isNeeded} onChecked={need} />
      {isNeeded || hasTerms ? (
        <div className="grid grid-cols-1 gap-4 rounded-md border border-line p-3 sm:grid-cols-2">
          <NamesField
            label="Approved by members of"
            hint="Nobody approves their own request. Empty: owners and admins."
            values={approver_groups ?? []}
            onValues={(names) =>
              onRule(withField(rule, "approver_groups", names.length === 0 ? undefined : names))
            }
            choices={choices.groups}
            add="Add a group"
            problem={problems.get("approver_groups") ?? null}
          />
          <DurationField
            label="One approval counts for at most"
            hint="From 1m to 7d. Empty: 1h."
            seconds={approval_seconds}
            onSeconds={(seconds) => onRule(withField(rule, "approval_seconds", seconds))}
            problem={problems.get("approval_seconds") ?? null}
          />
        </div>
      ) : null}
    </div>
  );
}
