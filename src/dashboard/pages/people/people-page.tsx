/**
 * The list of people and service users, with filters, a selection, actions and invitations.
 *
 * @module
 */
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useMemo, useState } from "react";
import type { Answer } from "../../api/client.ts";
import { reading } from "../../api/queries.ts";
import { may, useMe } from "../../app/me.ts";
import { BadgeList } from "../../components/badge-list.tsx";
import { Button } from "../../components/button.tsx";
import type { Column } from "../../components/data-table.tsx";
import { ConfirmDialog } from "../../components/dialog.tsx";
import { FilteredTable, type TableFilter } from "../../components/filtered-table.tsx";
import { Loaded, together } from "../../components/loaded.tsx";
import { PageHeader } from "../../components/page-header.tsx";
import { Time } from "../../components/time.tsx";
import { AddPeopleToGroups } from "./add-people-to-groups.tsx";
import { InvitePerson } from "./invite-person.tsx";
import { NewServiceUser } from "./new-service-user.tsx";
import { BLOCK_LOSS, lettingIn, usePeopleActions, usePutPerson } from "./people-actions.tsx";
import { PersonState } from "./person-state.tsx";
import {
  nameOf,
  PEOPLE_CSV,
  type Person,
  type PersonState as State,
  stateOf,
  type User,
} from "./person-words.ts";

export function PeoplePage() {
  const users = useQuery(reading("GET /api/users"));
  const groups = useQuery(reading("GET /api/groups"));
  const me = useMe();
  return (
    <>
      <PageHeader
        title="People"
        about="Who may sign in, and service users for automation."
        actions={
          may(me, "users", "create") ? (
            <>
              <NewServiceUser />
              <InvitePerson />
            </>
          ) : null
        }
      />
      <Loaded query={together(users, groups)}>
        {([all, known]) => <PeopleList users={all} groups={known} />}
      </Loaded>
    </>
  );
}

interface PeopleListProps {
  readonly users: readonly User[];
  readonly groups: Answer<"GET /api/groups">;
}

function PeopleList({ users, groups }: PeopleListProps) {
  const actions = usePeopleActions();
  const people = useMemo(() => {
    const names = new Map(groups.map(({ id, name }) => [id, name]));
    return users.map(
      (user): Person => ({ ...user, groups: user.auto_groups.map((id) => names.get(id) ?? id) }),
    );
  }, [users, groups]);
  return (
    <FilteredTable<Person>
      label="People"
      filterLabel="Filter people"
      rows={people}
      rowId={({ id }) => id}
      columns={COLUMNS}
      texts={(one) => [one.name, one.email, one.role, one.status, ...one.groups]}
      filters={FILTERS}
      bulk={{
        what: "people",
        nameOf,
        actions,
        ...(actions.length === 0
          ? {}
          : { more: (rows, clear) => <AddPeopleToGroups people={rows} onDone={clear} /> }),
      }}
      csv={{ what: "people", columns: PEOPLE_CSV }}
    />
  );
}

const inState = (value: State, label: string) => ({
  value,
  label,
  has: (person: Person) => stateOf(person) === value,
});
const inRole = (value: User["role"], label: string) => ({
  value,
  label,
  has: ({ role }: Person) => role === value,
});

const FILTERS: readonly TableFilter<Person>[] = [
  {
    name: "kind",
    label: "Kind",
    every: "People and service users",
    options: [
      { value: "people", label: "People", has: ({ is_service_user }) => !is_service_user },
      { value: "service", label: "Service users", has: ({ is_service_user }) => is_service_user },
    ],
  },
  {
    name: "state",
    label: "State",
    every: "In every state",
    options: [
      inState("active", "Active"),
      inState("invited", "Invited"),
      inState("waiting", "Waiting for approval"),
      inState("blocked", "Blocked"),
    ],
  },
  {
    name: "role",
    label: "Role",
    every: "In every role",
    options: [
      inRole("owner", "Owner"),
      inRole("admin", "Admin"),
      inRole("auditor", "Auditor"),
      inRole("user", "User"),
    ],
  },
];

const COLUMNS: readonly Column<Person>[] = [
  {
    id: "name",
    header: "Name",
    sortBy: (person) => nameOf(person).toLowerCase(),
    cell: (person) => (
      <span className="min-w-0">
        <Link
          to="/people/$userId"
          params={{ userId: person.id }}
          className="font-medium text-accent hover:underline"
        >
          <bdi>{nameOf(person)}</bdi>
        </Link>
        {person.email === "" || person.email === person.name ? null : (
          <span className="block text-soft text-xs">{person.email}</span>
        )}
      </span>
    ),
  },
  { id: "state", header: "State", sortBy: stateOf, cell: (person) => <PersonState person={person} /> },
  { id: "role", header: "Role", sortBy: ({ role }) => role, cell: ({ role }) => role },
  { id: "groups", header: "Groups", from: "md", cell: ({ groups }) => <BadgeList names={groups} /> },
  {
    id: "seen",
    header: "Last sign-in",
    from: "lg",
    sortBy: ({ last_login }) => last_login,
    cell: ({ last_login }) => <Time iso={last_login} />,
  },
  { id: "act", header: "Actions", isActions: true, cell: (person) => <Act person={person} /> },
];

function Act({ person }: { readonly person: Person }) {
  const me = useMe();
  const [asks, setAsks] = useState(false);
  const put = usePutPerson();
  if (!may(me, "users", "update") || person.is_current) return null;
  if (person.role === "owner" && me.role !== "owner") return null;
  if (person.pending_approval || person.is_blocked) {
    return (
      <Button size="small" onClick={() => void put(person, lettingIn(person))}>
        Let in
      </Button>
    );
  }
  return (
    <>
      <Button size="small" onClick={() => setAsks(true)}>
        Block
      </Button>
      <ConfirmDialog
        open={asks}
        onOpenChange={setAsks}
        title={`Shut ${nameOf(person)} out?`}
        verb="Block"
        onConfirm={() => put(person, { is_blocked: true })}
      >
        <p>{BLOCK_LOSS}</p>
      </ConfirmDialog>
    </>
  );
}
