/**
 * The selected machines put into groups or taken out of them, all of them at once.
 *
 * @module
 */
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { reading, useChange } from "../../api/queries.ts";
import { Button } from "../../components/button.tsx";
import { SegmentField } from "../../components/choice-field.tsx";
import { FormDialog } from "../../components/dialog.tsx";
import { GroupPicker } from "../../components/group-picker.tsx";
import { useToast } from "../../components/toasts.tsx";

interface AddToGroupsProps {
  /** Ids of peers. */
  readonly selected: ReadonlySet<string>;
  readonly onDone: () => void;
}

const WAYS = [
  { value: "in", label: "Put in" },
  { value: "out", label: "Take out" },
] as const;

export function AddToGroups({ selected, onDone }: AddToGroupsProps) {
  const [isOpen, setIsOpen] = useState(false);
  const [way, setWay] = useState<"in" | "out">("in");
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const [only, setOnly] = useState<string | null>(null);
  const groups = useQuery(reading("GET /api/groups"));
  const change = useChange("PUT /api/groups/:groupId", ["peers", "my", "policy"]);
  const tell = useToast();
  const apply = async (): Promise<void> => {
    const wanted = chosen.size === 0 && only !== null ? new Set([only]) : chosen;
    for (const { id, name, peers } of groups.data ?? []) {
      if (!wanted.has(id)) continue;
      const others = peers.map((peer) => peer.id).filter((peer) => !selected.has(peer));
      const members = way === "in" ? [...others, ...selected] : others;
      await change.mutateAsync({ params: { groupId: id }, body: { name, peers: members } });
    }
    const where = `${way === "in" ? "in" : "out of"} ${wanted.size === 1 ? "it" : "them"}`;
    tell(`${selected.size.toLocaleString("en")} machines are ${where} now.`);
    setChosen(new Set());
    setOnly(null);
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
        title={`Groups of ${selected.size.toLocaleString("en")} machines`}
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
