/**
 * The selected machines put into groups, all of them at once.
 *
 * @module
 */
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { reading, useChange } from "../../api/queries.ts";
import { Button } from "../../components/button.tsx";
import { FormDialog } from "../../components/dialog.tsx";
import { GroupPicker } from "../../components/group-picker.tsx";
import { useToast } from "../../components/toasts.tsx";

interface AddToGroupsProps {
  /** Ids of peers. */
  readonly selected: ReadonlySet<string>;
  readonly onDone: () => void;
}

export function AddToGroups({ selected, onDone }: AddToGroupsProps) {
  const [isOpen, setIsOpen] = useState(false);
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const groups = useQuery(reading("GET /api/groups"));
  const change = useChange("PUT /api/groups/:groupId", ["peers", "my", "policy"]);
  const tell = useToast();
  const apply = async (): Promise<void> => {
    for (const { id, name, peers } of groups.data ?? []) {
      if (!chosen.has(id)) continue;
      const members = [...new Set([...peers.map((peer) => peer.id), ...selected])];
      await change.mutateAsync({ params: { groupId: id }, body: { name, peers: members } });
    }
    tell(`${selected.size.toLocaleString("en")} machines are in ${chosen.size === 1 ? "it" : "them"} now.`);
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
        title={`Put ${selected.size.toLocaleString("en")} machines into groups`}
        submit="Put them in"
        disabled={chosen.size === 0}
        onSubmit={apply}
      >
        <GroupPicker
          label="Policies that speak of these hold for them"
          chosen={chosen}
          onChosen={setChosen}
        />
      </FormDialog>
    </>
  );
}
