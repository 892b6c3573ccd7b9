/**
 * Rule fields: when the rule holds, and from which devices.
 *
 * @module
 */
import { Trash2 } from "lucide-react";
import { ToggleGroup } from "radix-ui";
import { Button, IconButton } from "../../components/button.tsx";
import { Disclosure } from "../../components/disclosure.tsx";
import { TextField } from "../../components/field.tsx";
import { MomentField } from "../../components/moment-field.tsx";
import { NamesField } from "../../components/names-field.tsx";
import { type FileRule, withField } from "./policy-draft.ts";
import type { RulePartProps } from "./rule-part.ts";

type Window = NonNullable<FileRule["schedule"]>["windows"][number];
type Day = Window["days"][number];

const DAYS: readonly (readonly [day: Day, label: string])[] = [
  ["mon", "Mo"],
  ["tue", "Tu"],
  ["wed", "We"],
  ["thu", "Th"],
  ["fri", "Fr"],
  ["sat", "Sa"],
  ["sun", "Su"],
];
const OFFICE_HOURS: Window = { days: ["mon", "tue", "wed", "thu", "fri"], from: "08:00", to: "18:00" };
const WINDOWS_MAX = 32;
/** Suggested end times, in seconds from now: an hour, a working day, a week, a month. */
const UNTIL = [3_600, 28_800, 604_800, 2_592_000] as const;

interface ConditionsProps extends RulePartProps {
  readonly isSsh: boolean;
  readonly summary: string;
}

export function RuleConditions({ rule, onRule, choices, problems, isSsh, summary }: ConditionsProps) {
  const fields = ["valid_from", "valid_until", "schedule", "source_devices", "allow_intercepted"];
  const isOpen = fields.some((one) => problems.has(one));
  return (
    <Disclosure title="When, and from which devices" summary={summary} isOpen={isOpen}>
      <MomentField
        label="From (UTC)"
        none="at once"
        seconds={rule.valid_from}
        onSeconds={(seconds) => onRule(withField(rule, "valid_from", seconds))}
        problem={problems.get("valid_from") ?? null}
      />
      <MomentField
        label="Until (UTC)"
        none="no end"
        choices={UNTIL}
        seconds={rule.valid_until}
        onSeconds={(seconds) => onRule(withField(rule, "valid_until", seconds))}
        problem={problems.get("valid_until") ?? null}
      />
      <Schedule rule={rule} onRule={onRule} problem={problems.get("schedule") ?? null} />
      {isSsh ? (
        <>
          <Groups
            {...{ rule, onRule, choices, problems, field: "source_devices" }}
            label="Devices have to be in"
            hint="The device's own groups. Empty: every device."
          />
          <Groups
            {...{ rule, onRule, choices, problems, field: "allow_intercepted" }}
            label="Machines may bring other programs from"
            hint="Machines whose agent runs with --intercept. Empty: none."
          />
        </>
      ) : null}
    </Disclosure>
  );
}

interface GroupsProps extends RulePartProps {
  readonly field: "source_devices" | "allow_intercepted";
  readonly label: string;
  readonly hint: string;
}

function Groups({ rule, onRule, choices, problems, field, label, hint }: GroupsProps) {
  return (
    <div className="sm:col-span-2">
      <NamesField
        {...{ label, hint, choices: choices.groups, add: "Add a group" }}
        values={rule[field] ?? []}
        onValues={(names) => onRule(withField(rule, field, names.length === 0 ? undefined : names))}
        problem={problems.get(field) ?? null}
      />
    </div>
  );
}

interface ScheduleProps {
  readonly rule: FileRule;
  readonly onRule: (rule: FileRule) => void;
  readonly problem: string | null;
}

function Schedule({ rule, onRule, problem }: ScheduleProps) {
  const windows = rule.schedule?.windows ?? [];
  const write = (next: readonly Window[]): void =>
    onRule(withField(rule, "schedule", next.length === 0 ? undefined : { windows: [...next] }));
  const put = (i: number, part: Partial<Window>): void =>
    write(windows.map((one, at) => (at === i ? { ...one, ...part } : one)));
  return (
    <div className="flex flex-col gap-3 sm:col-span-2">
      <p className="font-medium">Hours (UTC)</p>
      {windows.map((window, i) => (
        <div key={`window-${i}`} className="flex flex-wrap items-end gap-3 rounded-md border border-line p-3">
          <ToggleGroup.Root
            type="multiple"
            aria-label="Days"
            value={[...window.days]}
            onValueChange={(days) => (days.length > 0 ? put(i, { days: days as Day[] }) : undefined)}
            className="flex flex-wrap gap-1"
          >
            {DAYS.map(([day, label]) => (
              <ToggleGroup.Item
                key={day}
                value={day}
                className="size-9 rounded-md border border-edge text-xs data-[state=on]:border-accent data-[state=on]:bg-accent-ground data-[state=on]:font-semibold data-[state=on]:text-accent pointer-coarse:size-11"
              >
                {label}
              </ToggleGroup.Item>
            ))}
          </ToggleGroup.Root>
          <div className="w-24">
            <TextField label="From" value={window.from} onValue={(from) => put(i, { from })} maxLength={5} />
          </div>
          <div className="w-24">
            <TextField label="To" value={window.to} onValue={(to) => put(i, { to })} maxLength={5} />
          </div>
          <IconButton label="Remove these hours" onClick={() => write(windows.filter((_, at) => at !== i))}>
            <Trash2 size={16} aria-hidden="true" />
          </IconButton>
        </div>
      ))}
      {problem === null ? null : <p className="text-bad text-xs">{problem}</p>}
      <div>
        <Button
          size="small"
          disabled={windows.length >= WINDOWS_MAX}
          onClick={() => write([...windows, OFFICE_HOURS])}
        >
          {windows.length === 0 ? "Only at certain hours" : "Add hours"}
        </Button>
      </div>
    </div>
  );
}
