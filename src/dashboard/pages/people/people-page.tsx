/**
 * People and service users: roles, groups, inviting somebody, letting in and shutting out.
 *
 * @module
 */
import { useQuery } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import type { Answer } from "../../api/client.ts";
import { reading, useChange } from "../../api/queries.ts";
import { may, useMe } from "../../app/me.ts";
import { Badge } from "../../components/badge.tsx";
import type { BulkAction } from "../../components/bulk-bar.tsx";
import { Button } from "../../components/button.tsx";
import type { Column } from "../../components/data-table.tsx";
import { ConfirmDialog } from "../../components/dialog.tsx";
import { FilteredTable } from "../../components/filtered-table.tsx";
import { Loaded } from "../../components/loaded.tsx";
import { PageHeader } from "../../components/page-header.tsx";
import { Time } from "../../components/time.tsx";
import { InvitePerson } from "./invite-person.tsx";

type User = Answer<"GET /api/users">[number];
interface Person extends User {
  readonly groups: readonly string[];
}

export function PeoplePage() {
  const users = useQuery(reading("GET /api/users"));
  const groups = useQuery(reading("GET /api/groups"));
  const me = useMe();
  return (
    <>
      <PageHeader
        title="People"
        about="Who may sign in, and service users for automation."
        actions={may(me, "users", "create") ? <InvitePerson /> : null}
      />
      <Loaded query={users}>{(all) => <PeopleList users={all} groups={groups.data ?? []} />}</Loaded>
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
    <FilteredTable
      label="People"
      filterLabel="Filter people"
      rows={people}
      rowId={({ id }) => id}
      columns={COLUMNS}
      texts={(one) => [one.name, one.email, one.role, one.status, ...one.groups]}
      bulk={{ what: "people", nameOf: ({ name, email }) => name || email, actions }}
    />
  );
}

const COLUMNS: readonly Column<Person>[] = [
  {
    id: "name",
    header: "Name",
    sortBy: ({ name, email }) => (name || email).toLowerCase(),
    cell: ({ name, email }) => (
      <span>
        <span className="font-medium">{name || email}</span>
        {email === "" || email === name ? null : <span className="block text-soft text-xs">{email}</span>}
      </span>
    ),
  },
  { id: "state", header: "State", cell: (person) => <PersonState person={person} /> },
  { id: "role", header: "Role", sortBy: ({ role }) => role, cell: ({ role }) => role },
  {
    id: "groups",
    header: "Groups",
    from: "md",
    cell: ({ groups }) => (
      <span className="flex flex-wrap gap-1">
        {groups.map((name) => (
          <Badge key={name}>{name}</Badge>
        ))}
      </span>
    ),
  },
  {
    id: "seen",
    header: "Last sign-in",
    from: "lg",
    sortBy: ({ last_login }) => last_login,
    cell: ({ last_login }) => <Time iso={last_login} />,
  },
  { id: "act", header: "Actions", isActions: true, cell: (person) => <Act person={person} /> },
];

function usePeopleActions(): readonly BulkAction<Person>[] {
  const me = useMe();
  const change = useChange("PUT /api/users/:userId", ["my", "groups"]);
  if (!may(me, "users", "update")) return [];
  const put = (
    { id, role, auto_groups, is_blocked }: Person,
    part: { is_blocked?: boolean; pending_approval?: boolean },
  ): Promise<unknown> =>
    change.mutateAsync({ params: { userId: id }, body: { role, auto_groups, is_blocked, ...part } });
  return [
    {
      label: "Let in",
      done: "let in",
      applies: (person) => person.pending_approval || person.is_blocked,
      run: (person) =>
        put(person, person.pending_approval ? { pending_approval: false } : { is_blocked: false }),
    },
    {
      label: "Block",
      done: "shut out",
      loss: "Every connection of theirs ends now, and so do their logins and dashboard sessions.",
      applies: (person) => !person.is_blocked && !person.is_current,
      run: (person) => put(person, { is_blocked: true }),
    },
  ];
}

function PersonState({ person }: { readonly person: Person }) {
  if (person.is_blocked) return <Badge tone="bad">blocked</Badge>;
  if (person.pending_approval) return <Badge tone="warn">waits for approval</Badge>;
  if (person.status === "invited") return <Badge tone="accent">invited</Badge>;
  return person.is_service_user ? <Badge>service user</Badge> : <Badge tone="good">active</Badge>;
}

function Act({ person }: { readonly person: Person }) {
  const me = useMe();
  const [asks, setAsks] = useState(false);
  const change = useChange("PUT /api/users/:userId", ["my", "groups"]);
  if (!may(me, "users", "update") || person.is_current) return null;
  const put = (part: { is_blocked?: boolean; pending_approval?: boolean }): Promise<unknown> =>
    change.mutateAsync({
      params: { userId: person.id },
      body: { role: person.role, auto_groups: person.auto_groups, is_blocked: person.is_blocked, ...part },
    });
  if (person.pending_approval || person.is_blocked) {
    const part = person.pending_approval ? { pending_approval: false } : { is_blocked: false };
    return (
      <Button size="small" busy={change.isPending} onClick={() => void put(part)}>
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
        title={`Shut ${person.name || person.email} out?`}
        verb="Block"
        onConfirm={() => put({ is_blocked: true })}
      >
        <p>Every connection of theirs ends now, and so do their logins and dashboard sessions.</p>
      </ConfirmDialog>
    </>
  );
}
