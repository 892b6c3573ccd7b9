/**
 * The rules of the edited policy, each collapsed to its sentence or open as a form. Rules can be added,
 * copied, moved, disabled and removed.
 *
 * @module
 */
import { ChevronDown, Ellipsis } from "lucide-react";
import { useState } from "react";
import { Badge } from "../../components/badge.tsx";
import { Button, IconButton } from "../../components/button.tsx";
import { classes } from "../../components/class-names.ts";
import { Menu } from "../../components/menu.tsx";
import { useToast } from "../../components/toasts.tsx";
import type { FieldProblems } from "./field-problems.ts";
import { type DraftRule, type FileRule, NEW_RULE, type PolicyDraft, withField } from "./policy-draft.ts";
import { RuleForm } from "./rule-form.tsx";
import type { Choices } from "./rule-part.ts";
import { sentenceOf } from "./rule-sentence.ts";

interface RuleListProps {
  readonly draft: PolicyDraft;
  readonly onDraft: (draft: PolicyDraft) => void;
  readonly choices: Choices;
  readonly problems: FieldProblems;
}

export function RuleList({ draft, onDraft, choices, problems }: RuleListProps) {
  const { rules } = draft;
  const { open, toggle } = useOpen(draft);
  const { put, insert, move, remove } = useEdits(draft, onDraft, toggle);
  return (
    <section aria-label="Rules" className="flex flex-col gap-3">
      <ol className="flex flex-col gap-3">
        {rules.map((one, i) => (
          <li key={one.key}>
            <RuleCard
              one={one}
              number={i + 1}
              isOpen={open.has(one.key)}
              onOpen={(isOpen) => toggle(one.key, isOpen)}
              onRule={(rule) => put(i, rule)}
              choices={choices}
              problems={problems.rules.get(i) ?? new Map()}
              actions={[
                { label: "Copy", onSelect: () => insert(i + 1, one.rule) },
                { label: "Move up", disabled: i === 0, onSelect: () => move(i, i - 1) },
                { label: "Move down", disabled: i === rules.length - 1, onSelect: () => move(i, i + 1) },
                null,
                { label: "Remove", danger: true, disabled: rules.length === 1, onSelect: () => remove(i) },
              ]}
            />
          </li>
        ))}
      </ol>
      <div>
        <Button onClick={() => insert(rules.length, NEW_RULE)}>Add a rule</Button>
      </div>
    </section>
  );
}

/** The first rule starts open if the policy is new or has only one. */
function useOpen({ rules, base }: PolicyDraft) {
  const [open, setOpen] = useState<ReadonlySet<string>>(
    () => new Set(rules.length === 1 || base === null ? rules.slice(0, 1).map(({ key }) => key) : []),
  );
  const toggle = (key: string, isOpen: boolean): void => {
    const next = new Set(open);
    if (isOpen) next.add(key);
    else next.delete(key);
    setOpen(next);
  };
  return { open, toggle };
}

function useEdits(
  draft: PolicyDraft,
  onDraft: (draft: PolicyDraft) => void,
  toggle: (key: string, isOpen: boolean) => void,
) {
  const tell = useToast();
  const { rules, nextKey } = draft;
  return {
    put(i: number, rule: FileRule): void {
      onDraft({ ...draft, rules: rules.map((one, at) => (at === i ? { ...one, rule } : one)) });
    },
    insert(at: number, rule: FileRule): void {
      const key = `n${nextKey}`;
      const next = [...rules.slice(0, at), { key, rule }, ...rules.slice(at)];
      onDraft({ ...draft, rules: next, nextKey: nextKey + 1 });
      toggle(key, true);
    },
    move(from: number, to: number): void {
      const next = [...rules];
      const [one] = next.splice(from, 1);
      if (one !== undefined) next.splice(to, 0, one);
      onDraft({ ...draft, rules: next });
    },
    remove(i: number): void {
      onDraft({ ...draft, rules: rules.filter((_, at) => at !== i) });
      tell("The rule is out of the draft.", () => onDraft(draft));
    },
  };
}

interface RuleCardProps {
  readonly one: DraftRule;
  readonly number: number;
  readonly isOpen: boolean;
  readonly onOpen: (isOpen: boolean) => void;
  readonly onRule: (rule: FileRule) => void;
  readonly choices: Choices;
  readonly problems: ReadonlyMap<string, string>;
  readonly actions: Parameters<typeof Menu>[0]["actions"];
}

function RuleCard({ one, number, isOpen, onOpen, onRule, choices, problems, actions }: RuleCardProps) {
  const { rule } = one;
  const isOff = rule.enabled === false;
  const more = {
    label: isOff ? "Switch on" : "Switch off",
    onSelect: () => onRule(withField(rule, "enabled", isOff ? undefined : false)),
  };
  return (
    <section
      aria-label={`Rule ${number}`}
      className={classes("rounded-lg border bg-card", problems.size > 0 ? "border-bad" : "border-line")}
    >
      <div className="flex items-start gap-2 p-3 sm:px-5 sm:py-4">
        <button
          type="button"
          aria-expanded={isOpen}
          onClick={() => onOpen(!isOpen)}
          className="flex min-h-8 min-w-0 flex-1 items-start gap-2.5 text-left"
        >
          <ChevronDown
            size={18}
            aria-hidden="true"
            className={classes("mt-0.5 shrink-0 text-soft", !isOpen && "-rotate-90")}
          />
          <span className="min-w-0">
            {rule.name ? <span className="block text-soft text-xs">{rule.name}</span> : null}
            <span className={classes("text-base", isOff && "text-soft")}>
              <bdi>{sentenceOf(rule)}</bdi>
            </span>
          </span>
        </button>
        {isOff ? <Badge>off</Badge> : null}
        {rule.action === "drop" ? <Badge tone="warn">denies</Badge> : null}
        <Menu
          trigger={
            <IconButton label={`Actions of rule ${number}`}>
              <Ellipsis size={18} aria-hidden="true" />
            </IconButton>
          }
          actions={[more, ...actions]}
        />
      </div>
      {isOpen ? (
        <div className="border-line border-t p-3 sm:p-5">
          <RuleForm rule={rule} onRule={onRule} choices={choices} problems={problems} />
        </div>
      ) : null}
    </section>
  );
}
