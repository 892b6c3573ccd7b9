/**
 * The list of groups: how many members each has, what uses it, and actions to create, edit and delete.
 *
 * @module
 */
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useMemo, useState } from "react";
import type { Answer } from "../../api/client.ts";
import { reading } from "../../api/queries.ts";
import { may, useMe } from "../../app/me.ts";
import { Badge } from "../../components/badge.tsx";
import { Button } from "../../components/button.tsx";
import type { CsvColumn } from "../../components/csv.ts";
import type { Column } from "../../components/data-table.tsx";
import { durationText } from "../../components/durations.ts";
import { FilteredTable, type TableFilter } from "../../components/filtered-table.tsx";
import { Loaded, together } from "../../components/loaded.tsx";
import { PageHeader } from "../../components/page-header.tsx";
import { DeleteGroup } from "./delete-group.tsx";
import { type Group, GroupDialog } from "./group-dialog.tsx";
import type { GroupUse } from "./group-uses.ts";
import { useGroupUses } from "./use-group-uses.tsx";

interface GroupRow {
  readonly id: string;
  readonly name: string;
  readonly peers: number;
  readonly people: number;
  readonly uses: readonly GroupUse[];
  /** How people may ask to join. Empty if they cannot. */
  readonly request: string;
  readonly group: Group;
  readonly groups: readonly Group[];
}

export function GroupsPage() {
  const groups = useQuery(reading("GET /api/groups"));
  const users = useQuery(reading("GET /api/users"));
  const uses = useGroupUses();
  const me = useMe();
  return (
    <>
      <PageHeader
        title="Groups"
        about="Policies refer to groups, which hold machines, devices and people."
        actions={may(me, "groups", "create") ? <NewGroup groups={groups.data ?? []} /> : null}
      />
      <Loaded query={together(groups, users, uses)}>
        {([all, people, usesOf]) => <GroupList groups={all} users={people} usesOf={usesOf} />}
      </Loaded>
    </>
  );
}

interface GroupListProps {
  readonly groups: readonly Group[];
  readonly users: Answer<"GET /api/users">;
  readonly usesOf: (groupId: string) => readonly GroupUse[];
}

function GroupList({ groups, users, usesOf }: GroupListProps) {
  const rows = useMemo(() => {
    const people = new Map<string, number>();
    for (const id of users.flatMap((user) => user.auto_groups)) people.set(id, (people.get(id) ?? 0) + 1);
    return groups.map((group): GroupRow => {
      const { id, name, peers_count: peers } = group;
      const about = { uses: usesOf(id), request: requestText(group), group, groups };
      return { id, name, peers, people: people.get(id) ?? 0, ...about };
    });
  }, [groups, users, usesOf]);
  return (
    <FilteredTable<GroupRow>
      label="Groups"
      filterLabel="Filter groups"
      rows={rows}
      rowId={({ id }) => id}
      columns={COLUMNS}
      texts={({ name, uses }) => [name, ...uses.map((use) => use.name)]}
      filters={FILTERS}
      csv={{ what: "groups", columns: CSV }}
    />
  );
}

const FILTERS: readonly TableFilter<GroupRow>[] = [
  {
    name: "state",
    label: "Which",
    every: "Used or not",
    options: [
      {
        value: "unused",
        label: "Used by nothing",
        has: ({ name, uses }) => name !== "All" && uses.length === 0,
      },
      {
        value: "empty",
        label: "Empty",
        has: ({ name, peers, people }) => name !== "All" && peers + people === 0,
      },
      { value: "requestable", label: "Can be asked for", has: ({ request }) => request !== "" },
    ],
  },
];

const CSV: readonly CsvColumn<GroupRow>[] = [
  ["id", ({ id }) => id],
  ["name", ({ name }) => name],
  ["peers", ({ peers }) => peers],
  ["people", ({ people }) => people],
  ["used_by", ({ uses }) => uses.map(({ kind, name }) => `${kind} ${name}`).join("; ")],
];

const COLUMNS: readonly Column<GroupRow>[] = [
  {
    id: "name",
    header: "Group",
    sortBy: ({ name }) => name.toLowerCase(),
    cell: ({ id, name }) => (
      <Link
        to="/groups/$groupId"
        params={{ groupId: id }}
        className="font-medium text-accent hover:underline"
      >
        <bdi>{name}</bdi>
      </Link>
    ),
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
  {
    id: "uses",
    header: "Used by",
    from: "md",
    sortBy: ({ uses }) => uses.length,
    cell: ({ uses }) => <UsesCell uses={uses} />,
  },
  { id: "request", header: "By request", from: "lg", cell: ({ request }) => request },
  {
    id: "act",
    header: "Actions",
    isActions: true,
    cell: (row) => (
      <div className="flex justify-end gap-2">
        <Edit row={row} />
        <Remove row={row} />
      </div>
    ),
  },
];

function UsesCell({ uses }: { readonly uses: readonly GroupUse[] }) {
  if (uses.length === 0) return <span className="text-soft">nothing</span>;
  const [first] = uses;
  const names = uses.map(({ kind, name }) => `${kind} ${name}`).join(", ");
  return (
    <span title={names}>
      {uses.length === 1 ? `${first?.kind} ${first?.name}` : `${uses.length.toLocaleString("en")} things`}
    </span>
  );
}

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

function Remove({ row }: { readonly row: GroupRow }) {
  const me = useMe();
  if (row.name === "All") return <Badge>everything</Badge>;
  if (!may(me, "groups", "delete")) return null;
  return <DeleteGroup group={row.group} people={row.people} uses={row.uses} />;
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
