/**
 * Groups of machines, devices and people: how many are in each, making, changing and removing one.
 *
 * @module
 */
import { useQuery } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import type { Answer } from "../../api/client.ts";
import { reading, useChange } from "../../api/queries.ts";
import { may, useMe } from "../../app/me.ts";
import { Badge } from "../../components/badge.tsx";
import { Button } from "../../components/button.tsx";
import type { Column } from "../../components/data-table.tsx";
import { ConfirmDialog } from "../../components/dialog.tsx";
import { durationText } from "../../components/durations.ts";
import { FilteredTable } from "../../components/filtered-table.tsx";
import { Loaded, together } from "../../components/loaded.tsx";
import { PageHeader } from "../../components/page-header.tsx";
import { type Group, GroupDialog } from "./group-dialog.tsx";

interface GroupRow {
  readonly id: string;
  readonly name: string;
  readonly peers: number;
  readonly people: number;
  /** How people may ask to be in it. Empty: they cannot. */
  readonly request: string;
  readonly group: Group;
  readonly groups: readonly Group[];
}

export function GroupsPage() {
  const groups = useQuery(reading("GET /api/groups"));
  const users = useQuery(reading("GET /api/users"));
  const me = useMe();
  return (
    <>
      <PageHeader
        title="Groups"
        about="Policies refer to groups, which hold machines, devices and people."
        actions={may(me, "groups", "create") ? <NewGroup groups={groups.data ?? []} /> : null}
      />
      <Loaded query={together(groups, users)}>
        {([all, people]) => <GroupList groups={all} users={people} />}
      </Loaded>
    </>
  );
}

interface GroupListProps {
  readonly groups: readonly Group[];
  readonly users: Answer<"GET /api/users">;
}

function GroupList({ groups, users }: GroupListProps) {
  const rows = useMemo(() => {
    const people = new Map<string, number>();
    for (const id of users.flatMap((user) => user.auto_groups)) people.set(id, (people.get(id) ?? 0) + 1);
    return groups.map((group): GroupRow => {
      const { id, name, peers_count: peers } = group;
      return { id, name, peers, people: people.get(id) ?? 0, request: requestText(group), group, groups };
    });
  }, [groups, users]);
  return (
    <FilteredTable
      label="Groups"
      filterLabel="Filter groups"
      rows={rows}
      rowId={({ id }) => id}
      columns={COLUMNS}
      texts={({ name }) => [name]}
    />
  );
}

const COLUMNS: readonly Column<GroupRow>[] = [
  {
    id: "name",
    header: "Group",
    sortBy: ({ name }) => name.toLowerCase(),
    cell: ({ name }) => <span className="font-medium">{name}</span>,
  },
  {
    id: "peers",
    header: "Machines and devices",
    numeric: true,
    sortBy: ({ peers }) => peers,
    cell: ({ peers }) => peers.toLocaleString("en"),
  },
  {
    id: "people",
    header: "People",
    numeric: true,
    sortBy: ({ people }) => people,
    cell: ({ people }) => people.toLocaleString("en"),
  },
  { id: "request", header: "By request", from: "md", cell: ({ request }) => request },
  {
    id: "act",
    header: "Actions",
    isActions: true,
    cell: (row) => (
      <div className="flex justify-end gap-2">
        <Edit row={row} />
        <Remove group={row} />
      </div>
    ),
  },
];

function requestText({ requestable, request_seconds_max }: Group): string {
  if (requestable !== true) return "";
  return request_seconds_max === undefined ? "yes" : `for at most ${durationText(request_seconds_max)}`;
}

function Edit({ row }: { readonly row: GroupRow }) {
  const me = useMe();
  const [isOpen, setIsOpen] = useState(false);
  if (row.name === "All" || !may(me, "groups", "update")) return null;
  return (
    <>
      <Button size="small" aria-label={`Edit ${row.name}`} onClick={() => setIsOpen(true)}>
        Edit
      </Button>
      {isOpen ? <GroupDialog group={row.group} groups={row.groups} onClose={() => setIsOpen(false)} /> : null}
    </>
  );
}

function Remove({ group }: { readonly group: GroupRow }) {
  const me = useMe();
  const [asks, setAsks] = useState(false);
  const remove = useChange("DELETE /api/groups/:groupId");
  if (group.name === "All") return <Badge>everything</Badge>;
  if (!may(me, "groups", "delete")) return null;
  return (
    <>
      <Button size="small" onClick={() => setAsks(true)}>
        Remove
      </Button>
      <ConfirmDialog
        open={asks}
        onOpenChange={setAsks}
        title={`Remove ${group.name}?`}
        verb="Remove"
        onConfirm={() => remove.mutateAsync({ params: { groupId: group.id } })}
      >
        <p>A group that a policy, a setup key or a person refers to is not removed; you are told by which.</p>
      </ConfirmDialog>
    </>
  );
}

function NewGroup({ groups }: { readonly groups: readonly Group[] }) {
  const [isOpen, setIsOpen] = useState(false);
  return (
    <>
      <Button weight="primary" onClick={() => setIsOpen(true)}>
        New group
      </Button>
      {isOpen ? <GroupDialog group={null} groups={groups} onClose={() => setIsOpen(false)} /> : null}
    </>
  );
}
