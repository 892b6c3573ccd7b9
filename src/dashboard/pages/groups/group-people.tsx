/**
 * The people in a group. A dialog edits them and shows the difference before it is saved.
 *
 * @module
 */
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { reading } from "../../api/queries.ts";
import { Button } from "../../components/button.tsx";
import { type Column, DataTable } from "../../components/data-table.tsx";
import { distinctNames } from "../../components/distinct-names.ts";
import { Loaded } from "../../components/loaded.tsx";
import { MembersDialog } from "../../components/members-dialog.tsx";
import { NamesField } from "../../components/names-field.tsx";
import { Section } from "../../components/section.tsx";
import { Time } from "../../components/time.tsx";
import { usePutPerson } from "../people/people-actions.tsx";
import { PersonState } from "../people/person-state.tsx";
import { nameOf, type User } from "../people/person-words.ts";
import type { Group } from "./group-dialog.tsx";

interface GroupPeopleProps {
  readonly group: Group;
  readonly canChange: boolean;
}

interface Member {
  readonly user: User;
  /** When the membership ends; null for a permanent one. */
  readonly until: string | null;
}

export function GroupPeople({ group, canChange }: GroupPeopleProps) {
  const users = useQuery(reading("GET /api/users"));
  const [isOpen, setIsOpen] = useState(false);
  return (
    <Section
      title="People"
      actions={
        canChange ? (
          <Button size="small" onClick={() => setIsOpen(true)}>
            Change people
          </Button>
        ) : null
      }
    >
      <Loaded query={users} rows={3}>
        {(all) => {
          const members = membersIn(all, group.id);
          return (
            <>
              {members.length === 0 ? (
                <p className="text-soft">Nobody is in it.</p>
              ) : (
                <DataTable
                  label="People in it"
                  rows={members}
                  rowId={({ user, until }) => `${user.id} ${until ?? ""}`}
                  columns={COLUMNS}
                />
              )}
              {isOpen ? <ChangePeople group={group} users={all} onClose={() => setIsOpen(false)} /> : null}
            </>
          );
        }}
      </Loaded>
    </Section>
  );
}

function membersIn(users: readonly User[], groupId: string): Member[] {
  return users.flatMap((user): Member[] => [
    ...(user.auto_groups.includes(groupId) ? [{ user, until: null }] : []),
    ...(user.auto_groups_until ?? [])
      .filter(({ group }) => group === groupId)
      .map(({ until }) => ({ user, until })),
  ]);
}

const COLUMNS: readonly Column<Member>[] = [
  {
    id: "name",
    header: "Name",
    sortBy: ({ user }) => nameOf(user).toLowerCase(),
    cell: ({ user }) => (
      <span>
        <Link
          to="/people/$userId"
          params={{ userId: user.id }}
          className="font-medium text-accent hover:underline"
        >
          <bdi>{nameOf(user)}</bdi>
        </Link>
        {user.email === "" || user.email === user.name ? null : (
          <span className="block text-soft text-xs">{user.email}</span>
        )}
      </span>
    ),
  },
  { id: "state", header: "State", cell: ({ user }) => <PersonState person={user} /> },
  {
    id: "until",
    header: "Member",
    from: "md",
    cell: ({ until }) =>
      until === null ? (
        "until it is changed"
      ) : (
        <span>
          ends <Time iso={until} />
        </span>
      ),
  },
];

interface ChangePeopleProps {
  readonly group: Group;
  readonly users: readonly User[];
  readonly onClose: () => void;
}

/** Saves each changed membership in a request of its own. The first failure is shown and stops the rest. */
function ChangePeople({ group, users, onClose }: ChangePeopleProps) {
  const before = users.filter(({ auto_groups }) => auto_groups.includes(group.id)).map(({ id }) => id);
  const names = distinctNames(
    users.map((user) => ({ id: user.id, name: nameOf(user), mark: user.email || user.id })),
  );
  const ids = new Map([...names].map(([id, name]) => [name, id]));
  const shown = (id: string): string => names.get(id) ?? id;
  const put = usePutPerson();
  const save = async (now: readonly string[]): Promise<void> => {
    for (const user of users) {
      const isMember = now.includes(user.id);
      if (isMember === before.includes(user.id)) continue;
      const others = user.auto_groups.filter((id) => id !== group.id);
      await put(user, { auto_groups: isMember ? [...others, group.id] : others });
    }
  };
  return (
    <MembersDialog
      title={`People in ${group.name}`}
      draftKey={`qf-group-people:${group.id}`}
      before={before}
      nameOf={shown}
      onSave={save}
      done={`${group.name} is saved.`}
      onClose={onClose}
    >
      {(now, onNow) => (
        <NamesField
          label="In the group"
          hint="Memberships for a while, as by requests, are not changed here."
          values={now.map(shown)}
          onValues={(chosen) => onNow(chosen.map((name) => ids.get(name) ?? name))}
          choices={users.map((user) => ({
            name: shown(user.id),
            note: user.is_service_user ? "service user" : user.role,
          }))}
          add="Add a person"
        />
      )}
    </MembersDialog>
  );
}
