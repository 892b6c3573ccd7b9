/**
 * Adds the selected people to groups, or removes them, all at once.
 *
 * @module
 */
import { type GroupsWay, PutIntoGroups } from "../../components/put-into-groups.tsx";
import { useToast } from "../../components/toasts.tsx";
import { usePutPerson } from "./people-actions.tsx";
import { nameOf, type User } from "./person-words.ts";

interface AddPeopleToGroupsProps {
  readonly people: readonly User[];
  readonly onDone: () => void;
}

export function AddPeopleToGroups({ people, onDone }: AddPeopleToGroupsProps) {
  const put = usePutPerson();
  const tell = useToast();
  const apply = async (way: GroupsWay, groups: ReadonlySet<string>): Promise<void> => {
    for (const person of people) {
      const kept = person.auto_groups.filter((id) => !groups.has(id));
      const auto_groups = way === "in" ? [...kept, ...groups] : kept;
      const among = person.auto_groups.length - kept.length;
      if (among === (way === "in" ? groups.size : 0)) continue;
      await put(person, { auto_groups }).catch((cause: unknown) => {
        tell(`${nameOf(person)} was not changed.`);
        throw cause;
      });
    }
    tell(`Groups of ${people.length.toLocaleString("en")} people were changed.`);
    onDone();
  };
  return <PutIntoGroups count={people.length} what="people" onApply={apply} />;
}
