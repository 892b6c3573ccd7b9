/**
 * Groups of machines, devices and people: how many are in each, and making and removing one.
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
import { ConfirmDialog, FormDialog } from "../../components/dialog.tsx";
import { TextField } from "../../components/field.tsx";
import { FilteredTable } from "../../components/filtered-table.tsx";
import { Loaded } from "../../components/loaded.tsx";
import { PageHeader } from "../../components/page-header.tsx";
import { useToast } from "../../components/toasts.tsx";

interface GroupRow {
  readonly id: string;
  readonly name: string;
  readonly peers: number;
  readonly people: number;
}

export function GroupsPage() {
  const groups = useQuery(reading("GET /api/groups"));
  const users = useQuery(reading("GET /api/users"));
  const me = useMe();
  return (
    <>
      <PageHeader
        title="Groups"
        about="What policies speak of: machines and devices are in groups, and so are people."
        actions={may(me, "groups", "create") ? <NewGroup /> : null}
      />
      <Loaded query={groups}>{(all) => <GroupList groups={all} users={users.data ?? []} />}</Loaded>
    </>
  );
}

interface GroupListProps {
  readonly groups: Answer<"GET /api/groups">;
  readonly users: Answer<"GET /api/users">;
}

function GroupList({ groups, users }: GroupListProps) {
  const rows = useMemo(() => {
    const people = new Map<string, number>();
    for (const id of users.flatMap((user) => user.auto_groups)) people.set(id, (people.get(id) ?? 0) + 1);
    return groups.map(({ id, name, peers_count }): GroupRow => {
      return { id, name, peers: peers_count, people: people.get(id) ?? 0 };
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
  { id: "act", header: "Actions", isActions: true, cell: (group) => <Remove group={group} /> },
];

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

function NewGroup() {
  const [isOpen, setIsOpen] = useState(false);
  const [name, setName] = useState("");
  const create = useChange("POST /api/groups");
  const tell = useToast();
  return (
    <>
      <Button weight="primary" onClick={() => setIsOpen(true)}>
        New group
      </Button>
      <FormDialog
        open={isOpen}
        onOpenChange={setIsOpen}
        title="New group"
        submit="Create"
        disabled={name.trim() === ""}
        onSubmit={async () => {
          await create.mutateAsync({ body: { name: name.trim() } });
          tell(`${name.trim()} is there.`);
          setName("");
        }}
      >
        <TextField label="Name" value={name} onValue={setName} maxLength={256} autoFocus />
      </FormDialog>
    </>
  );
}
