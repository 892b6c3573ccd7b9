/**
 * Adds the selected machines to groups, or removes them, all at once.
 *
 * @module
 */
import { useQuery } from "@tanstack/react-query";
import { reading, useChange } from "../../api/queries.ts";
import { type GroupsWay, PutIntoGroups } from "../../components/put-into-groups.tsx";
import { useToast } from "../../components/toasts.tsx";

interface AddToGroupsProps {
  /** Peer ids. */
  readonly selected: ReadonlySet<string>;
  readonly onDone: () => void;
}

export function AddToGroups({ selected, onDone }: AddToGroupsProps) {
  const groups = useQuery(reading("GET /api/groups"));
  const change = useChange("PUT /api/groups/:groupId", ["peers", "my", "policy"]);
  const tell = useToast();
  const apply = async (way: GroupsWay, wanted: ReadonlySet<string>): Promise<void> => {
    for (const { id, name, peers } of groups.data ?? []) {
      if (!wanted.has(id)) continue;
      const others = peers.map((peer) => peer.id).filter((peer) => !selected.has(peer));
      const members = way === "in" ? [...others, ...selected] : others;
      await change.mutateAsync({ params: { groupId: id }, body: { name, peers: members } });
    }
    const where = `${way === "in" ? "in" : "out of"} ${wanted.size === 1 ? "it" : "them"}`;
    tell(`${selected.size.toLocaleString("en")} machines are ${where} now.`);
    onDone();
  };
  return <PutIntoGroups count={selected.size} what="machines" onApply={apply} />;
}
