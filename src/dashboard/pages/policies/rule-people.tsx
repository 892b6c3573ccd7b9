/**
 * The people of a rule: everyone in its sources as any local user, or named local users per group.
 *
 * @module
 */
import { Trash2 } from "lucide-react";
import { Button, IconButton } from "../../components/button.tsx";
import { SegmentField } from "../../components/choice-field.tsx";
import { CheckField } from "../../components/field.tsx";
import { type NameChoice, NamesField } from "../../components/names-field.tsx";
import { WordsField } from "../../components/words-field.tsx";
import { withField } from "./policy-draft.ts";
import type { RulePartProps } from "./rule-part.ts";

type Entry = readonly [group: string, users: readonly string[]];

/** An entry that names nobody yet. An empty map would mean full access. */
const NOBODY: Entry = ["", []];

export function RulePeople({ rule, onRule, choices, problems }: RulePartProps) {
  const entries = Object.entries(rule.authorized_groups ?? {});
  const write = (next: readonly Entry[]): void => {
    const some = next.length === 0 ? [NOBODY] : next;
    const groups = Object.fromEntries(some.map(([group, users]) => [group, [...users]]));
    onRule(withField(rule, "authorized_groups", groups));
  };
  const isLimited = entries.length > 0;
  return (
    <div className="flex flex-col gap-3">
      <SegmentField
        label="People log in as"
        value={isLimited ? "limited" : "full"}
        onValue={(value) =>
          value === "full" ? onRule(withField(rule, "authorized_groups", undefined)) : write([])
        }
        choices={[
          { value: "limited", label: "named local users" },
          { value: "full", label: "any local user" },
        ]}
      />
      {isLimited ? (
        <Entries
          entries={entries}
          onEntries={write}
          groups={choices.groups}
          problem={problems.get("authorized_groups") ?? null}
        />
      ) : (
        <p className="text-soft">
          Everybody in the groups it is from. Root still has to be allowed on the machine itself.
        </p>
      )}
    </div>
  );
}

interface EntriesProps {
  readonly entries: readonly Entry[];
  readonly onEntries: (entries: readonly Entry[]) => void;
  readonly groups: readonly NameChoice[];
  readonly problem: string | null;
}

function Entries({ entries, onEntries, groups, problem }: EntriesProps) {
  const put = (i: number, entry: Entry): void =>
    onEntries(entries.map((one, at) => (at === i ? entry : one)));
  const free = (group: string): NameChoice[] =>
    groups.filter(({ name }) => name === group || !entries.some(([one]) => one === name));
  return (
    <>
      {entries.map(([group, users], i) => (
        <div
          key={`person-${i}`}
          className="grid grid-cols-1 items-start gap-3 rounded-md border border-line p-3 sm:grid-cols-[1fr_1fr_auto]"
        >
          <NamesField
            label="Members of"
            values={group === "" ? [] : [group]}
            onValues={([name = ""]) => put(i, [name, users])}
            choices={free(group)}
            add="Choose a group"
            single
          />
          <LocalUsers users={users} onUsers={(next) => put(i, [group, next])} />
          <div className="sm:pt-6.5">
            <IconButton
              label={`Remove ${group || "this line"}`}
              disabled={entries.length === 1 && group === "" && users.length === 0}
              onClick={() => onEntries(entries.filter((_, at) => at !== i))}
            >
              <Trash2 size={16} aria-hidden="true" />
            </IconButton>
          </div>
        </div>
      ))}
      {problem === null ? null : (
        <p className="text-bad text-xs">
          {entries.some(([group]) => group === "") ? "Choose the group whose members may log in." : problem}
        </p>
      )}
      <div>
        <Button
          size="small"
          disabled={entries.some(([group]) => group === "")}
          onClick={() => onEntries([...entries, NOBODY])}
        >
          Add people
        </Button>
      </div>
    </>
  );
}

interface LocalUsersProps {
  readonly users: readonly string[];
  readonly onUsers: (users: readonly string[]) => void;
}

function LocalUsers({ users, onUsers }: LocalUsersProps) {
  const isAny = users.includes("*");
  return (
    <div className="flex flex-col gap-2">
      {isAny ? null : (
        <WordsField label="As local users" values={users} onValues={onUsers} placeholder="deploy, www" />
      )}
      <CheckField
        label="Any local user"
        checked={isAny}
        onChecked={(checked) => onUsers(checked ? ["*"] : [])}
      />
    </div>
  );
}
