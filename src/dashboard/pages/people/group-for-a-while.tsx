/**
 * Temporary group memberships that administrators grant: adding one, and ending one early.
 *
 * @module
 */
import { X } from "lucide-react";
import { useState } from "react";
import { Button, IconButton } from "../../components/button.tsx";
import { ConfirmDialog, FormDialog } from "../../components/dialog.tsx";
import { GroupNamesField } from "../../components/group-names-field.tsx";
import { LastsField } from "../../components/lasts-field.tsx";
import { useToast } from "../../components/toasts.tsx";
import { usePutPerson } from "./people-actions.tsx";
import { nameOf as nameOfPerson, type User } from "./person-words.ts";

interface GroupForAWhileProps {
  readonly user: User;
  readonly nameOf: (groupId: string) => string;
}

/** An hour, a working day, a day, a week. */
const LASTS = [3_600, 28_800, 86_400, 604_800] as const;

export function GroupForAWhile(props: GroupForAWhileProps) {
  const [isOpen, setIsOpen] = useState(false);
  return (
    <>
      <Button size="small" onClick={() => setIsOpen(true)}>
        Add for a while
      </Button>
      {isOpen ? <WhileForm {...props} onClose={() => setIsOpen(false)} /> : null}
    </>
  );
}

function WhileForm({ user, nameOf, onClose }: GroupForAWhileProps & { readonly onClose: () => void }) {
  const [groups, setGroups] = useState<readonly string[]>([]);
  const [seconds, setSeconds] = useState<number | undefined>(28_800);
  const put = usePutPerson();
  const tell = useToast();
  const add = async (): Promise<void> => {
    const until = new Date(Date.now() + (seconds ?? 0) * 1_000).toISOString();
    const added = groups.map((group) => ({ group, until }));
    await put(user, { auto_groups_until: [...givenTo(user), ...added] });
    tell(`${nameOfPerson(user)} is in ${groups.map(nameOf).join(", ")} for a while.`);
  };
  return (
    <FormDialog
      open
      onOpenChange={onClose}
      title={`Put ${nameOfPerson(user)} in a group for a while`}
      about="It ends by itself, and what they have by it ends with it."
      submit="Put in"
      disabled={groups.length === 0 || seconds === undefined}
      onSubmit={add}
    >
      <GroupNamesField label="Groups" ids={groups} onIds={setGroups} />
      <LastsField label="For" choices={LASTS} seconds={seconds} onSeconds={setSeconds} />
    </FormDialog>
  );
}

/**
 * Current memberships that administrators granted. Those by request are left out; an update does not change
 * them.
 */
function givenTo(user: User): { readonly group: string; readonly until: string }[] {
  const now = Date.now();
  return (user.auto_groups_until ?? [])
    .filter(({ request, until }) => request === undefined && Date.parse(until) > now)
    .map(({ group, until }) => ({ group, until }));
}

interface EndMembershipProps {
  readonly user: User;
  readonly groupId: string;
  readonly until: string;
  readonly name: string;
}

export function EndMembership({ user, groupId, until, name }: EndMembershipProps) {
  const [asks, setAsks] = useState(false);
  const put = usePutPerson();
  const left = givenTo(user).filter((one) => one.group !== groupId || one.until !== until);
  return (
    <>
      <IconButton label={`End the membership in ${name}`} onClick={() => setAsks(true)}>
        <X size={14} aria-hidden="true" />
      </IconButton>
      <ConfirmDialog
        open={asks}
        onOpenChange={setAsks}
        title={`Take ${nameOfPerson(user)} out of ${name} now?`}
        verb="Take out"
        onConfirm={() => put(user, { auto_groups_until: left })}
      >
        <p>Connections that they have by it alone end.</p>
      </ConfirmDialog>
    </>
  );
}
