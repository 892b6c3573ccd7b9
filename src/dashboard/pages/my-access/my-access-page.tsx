/**
 * My access: the machines that the user may reach, with the local users and a command to copy, and those that
 * they may not reach, with the reason and the next step.
 *
 * @module
 */
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { SquareTerminal } from "lucide-react";
import { useState } from "react";
import type { Answer } from "../../api/client.ts";
import { reading } from "../../api/queries.ts";
import { serverOrigin } from "../../browser/server-origin.ts";
import { Badge } from "../../components/badge.tsx";
import { CopyButton, CopyLine } from "../../components/copy-button.tsx";
import { type Column, DataTable } from "../../components/data-table.tsx";
import { filtered } from "../../components/filtered.ts";
import { Loaded } from "../../components/loaded.tsx";
import { Empty } from "../../components/notice.tsx";
import { PageHeader } from "../../components/page-header.tsx";
import { SearchBox } from "../../components/search-box.tsx";
import { MyRequests } from "../requests/my-requests.tsx";
import { MySessions } from "../sessions/my-sessions.tsx";

type Access = Answer<"GET /api/my/access">;
type Machine = Access["machines"][number];

export function MyAccessPage() {
  const access = useQuery(reading("GET /api/my/access"));
  return (
    <>
      <PageHeader title="My access" about="The machines that you may reach, and as whom." />
      <Loaded query={access}>{(mine) => <Machines access={mine} />}</Loaded>
      <MyRequests />
      <MySessions />
    </>
  );
}

function Machines({ access }: { readonly access: Access }) {
  const [typed, setTyped] = useState("");
  const shown = filtered(access.machines, typed, ({ name, dns_label, local_users }) => [
    name,
    dns_label,
    ...local_users,
  ]);
  if (access.device === null) return <NoDevice />;
  if (access.machines.length === 0) {
    return (
      <Empty title="No machine is open to you yet">
        No policy opens a machine for {access.device.name}. Ask an administrator which group you should be in.
      </Empty>
    );
  }
  const reachable = shown.filter(({ reason }) => reason === null);
  const closed = shown.filter(({ reason }) => reason !== null);
  return (
    <>
      <SearchBox
        label="Filter machines"
        value={typed}
        onValue={setTyped}
        shown={shown.length}
        total={access.machines.length}
      >
        <span className="text-soft">from {access.device.name}</span>
      </SearchBox>
      <DataTable label="Machines you may reach" rows={reachable} rowId={({ id }) => id} columns={REACHABLE} />
      {closed.length === 0 ? null : (
        <section className="mt-8">
          <h2 className="mb-2 font-semibold text-base">Why not these</h2>
          <DataTable
            label="Machines you may not reach"
            rows={closed}
            rowId={({ id }) => id}
            columns={CLOSED}
          />
        </section>
      )}
    </>
  );
}

function NoDevice() {
  return (
    <Empty title="Connect from your first device">
      <p>Install qf on your computer, sign in once, and this page shows what you may reach from it.</p>
      <div className="mx-auto mt-4 max-w-lg text-left text-ink">
        <CopyLine label="Copy the command" text={`qf login --management-url ${serverOrigin()}`} />
      </div>
    </Empty>
  );
}

function commandOf(user: string, machine: Machine): string {
  return `qf ssh ${user === "*" ? "" : `${user}@`}${machine.name}`;
}

function TerminalLink({ machine, user }: { readonly machine: string; readonly user: string }) {
  const label = `Open terminal: ${user === "*" ? "" : `${user}@`}${machine}`;
  return (
    <Link
      to="/terminal/$machine"
      params={{ machine }}
      search={user === "*" ? {} : { as: user }}
      aria-label={label}
      title={label}
      className="flex size-8 items-center justify-center rounded-md hover:bg-sunken pointer-coarse:size-11"
    >
      <SquareTerminal size={16} aria-hidden="true" />
    </Link>
  );
}

const REACHABLE: readonly Column<Machine>[] = [
  {
    id: "name",
    header: "Machine",
    sortBy: ({ name }) => name.toLowerCase(),
    cell: ({ name, dns_label }) => (
      <span className="min-w-0">
        <span className="font-medium">{name}</span>
        <span className="block truncate text-soft text-xs">{dns_label}</span>
      </span>
    ),
  },
  { id: "state", header: "State", sortBy: ({ connected }) => Number(!connected), cell: stateOf },
  {
    id: "users",
    header: "As",
    cell: (machine) => (
      <ul className="flex flex-wrap gap-1.5">
        {machine.local_users.map((user) => (
          <li key={user} className="inline-flex items-center rounded-md border border-line pl-2">
            <code className="font-mono text-xs">{user === "*" ? "any local user" : user}</code>
            <CopyButton text={commandOf(user, machine)} label={`Copy: ${commandOf(user, machine)}`} />
            <TerminalLink machine={machine.name} user={user} />
          </li>
        ))}
      </ul>
    ),
  },
  {
    id: "ip",
    header: "Address",
    from: "lg",
    cell: ({ ip }) => <code className="font-mono text-xs">{ip}</code>,
  },
];

const CLOSED: readonly Column<Machine>[] = [
  {
    id: "name",
    header: "Machine",
    sortBy: ({ name }) => name.toLowerCase(),
    cell: ({ name }) => <span className="font-medium">{name}</span>,
  },
  {
    id: "reason",
    header: "Why not",
    cell: ({ sentence, hint }) => (
      <span>
        {sentence}
        {hint === null ? null : <span className="block text-soft text-xs">{hint}</span>}
      </span>
    ),
  },
];

function stateOf({ connected }: Machine) {
  return connected ? (
    <Badge tone="good" dot>
      connected
    </Badge>
  ) : (
    <Badge>offline</Badge>
  );
}
