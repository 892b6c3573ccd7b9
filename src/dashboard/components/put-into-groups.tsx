/**
 * Adds the selected rows to groups, or removes them, all at once.
 *
 * @module
 */
import { useState } from "react";
import { Button } from "./button.tsx";
import { SegmentField } from "./choice-field.tsx";
import { FormDialog } from "./dialog.tsx";
import { GroupPicker } from "./group-picker.tsx";

export type GroupsWay = "in" | "out";

interface PutIntoGroupsProps {
  readonly count: number;
  /** Plural name of the rows, such as `machines`. */
  readonly what: string;
  readonly onApply: (way: GroupsWay, groups: ReadonlySet<string>) => Promise<void>;
}

const WAYS = [
  { value: "in", label: "Put in" },
  { value: "out", label: "Take out" },
] as const;

export function PutIntoGroups({ count, what, onApply }: PutIntoGroupsProps) {
  const [isOpen, setIsOpen] = useState(false);
  const [way, setWay] = useState<GroupsWay>("in");
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const [only, setOnly] = useState<string | null>(null);
  const apply = async (): Promise<void> => {
    await onApply(way, chosen.size === 0 && only !== null ? new Set([only]) : chosen);
    setChosen(new Set());
    setOnly(null);
  };
  return (
    <>
      <Button size="small" onClick={() => setIsOpen(true)}>
        Groups
      </Button>
      <FormDialog
        open={isOpen}
        onOpenChange={setIsOpen}
        title={`Groups of ${count.toLocaleString("en")} ${what}`}
        submit={way === "in" ? "Put them in" : "Take them out"}
        disabled={chosen.size === 0 && only === null}
        onSubmit={apply}
      >
        <SegmentField label="What to do" isLabelHidden value={way} onValue={setWay} choices={WAYS} />
        <GroupPicker
          label="Policies that speak of these hold for them"
          chosen={chosen}
          onChosen={setChosen}
          onOnly={setOnly}
        />
      </FormDialog>
    </>
  );
}
