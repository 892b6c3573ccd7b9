/**
 * The selected people put into groups, or taken out of them, all at once.
 *
 * @module
 */
import { useState } from "react";
import { Button } from "../../components/button.tsx";
import { SegmentField } from "../../components/choice-field.tsx";
import { FormDialog } from "../../components/dialog.tsx";
import { GroupPicker } from "../../components/group-picker.tsx";
import { useToast } from "../../components/toasts.tsx";
import { usePutPerson } from "./people-actions.tsx";
import { nameOf, type User } from "./person-words.ts";

interface AddPeopleToGroupsProps {
  readonly people: readonly User[];
  readonly onDone: () => void;
}

const WAYS = [
  { value: "in", label: "Put them in" },
  { value: "out", label: "Take them out" },
] as const;

export function AddPeopleToGroups({ people, onDone }: AddPeopleToGroupsProps) {
  const [isOpen, setIsOpen] = useState(false);
  const [way, setWay] = useState<"in" | "out">("in");
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const put = usePutPerson();
  const tell = useToast();
  const count = people.length.toLocaleString("en");
  const apply = async (): Promise<void> => {
    for (const person of people) {
      const kept = person.auto_groups.filter((id) => !chosen.has(id));
      const auto_groups = way === "in" ? [...kept, ...chosen] : kept;
      const isSame =
        person.auto_groups.filter((id) => chosen.has(id)).length === (way === "in" ? chosen.size : 0);
      if (isSame) continue;
      await put(person, { auto_groups }).catch((cause: unknown) => {
        tell(`${nameOf(person)} was not changed.`);
        throw cause;
      });
    }
    tell(`Groups of ${count} people were changed.`);
    setChosen(new Set());
    onDone();
  };
  return (
    <>
      <Button size="small" onClick={() => setIsOpen(true)}>
        Groups
      </Button>
      <FormDialog
        open={isOpen}
        onOpenChange={setIsOpen}
        title={`Groups of ${count} people`}
        submit="Apply"
        disabled={chosen.size === 0}
        onSubmit={apply}
      >
        <SegmentField label="What to do" isLabelHidden value={way} onValue={setWay} choices={WAYS} />
        <GroupPicker label="Groups" chosen={chosen} onChosen={setChosen} />
      </FormDialog>
    </>
  );
}
