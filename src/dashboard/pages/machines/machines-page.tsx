/**
 * The list of machines, with filters, a selection and actions.
 *
 * @module
 */
import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { useMemo, useState } from "react";
import type { Answer } from "../../api/client.ts";
import { reading } from "../../api/queries.ts";
import { may, useMe } from "../../app/me.ts";
import { BadgeList } from "../../components/badge-list.tsx";
import { BulkBar } from "../../components/bulk-bar.tsx";
import { ButtonLink } from "../../components/button.tsx";
import { type Column, DataTable } from "../../components/data-table.tsx";
import { ExportButton } from "../../components/export-button.tsx";
import { SelectField } from "../../components/field.tsx";
import { filtered } from "../../components/filtered.ts";
import { Loaded } from "../../components/loaded.tsx";
import { Empty } from "../../components/notice.tsx";
import { PageHeader } from "../../components/page-header.tsx";
import { SearchBox } from "../../components/search-box.tsx";
import { Time } from "../../components/time.tsx";
import { useListView, ViewButton } from "../../components/view-button.tsx";
import { isInState, type MachineTerms, machineTermsOf } from "../../terms/machine-terms.ts";
import { AddToGroups } from "./add-to-groups.tsx";
import { usePeerActions } from "./machine-actions.tsx";
import { MachineState } from "./machine-state.tsx";
import { PEER_CSV } from "./peer-csv.ts";

export type Peer = Answer<"GET /api/peers">[number];

const route = getRouteApi("/machines");

export function MachinesPage() {
  const peers = useQuery(reading("GET /api/peers"));
  const me = useMe();
  return (
    <>
      <PageHeader
        title="Machines"
        about="Hosts that run qf agent."
        actions={
          may(me, "setup_keys", "create") ? (
            <ButtonLink to="/machines/add" weight="primary">
              Add a machine
            </ButtonLink>
          ) : null
        }
      />
      <Loaded query={peers}>{(list) => <MachineList peers={list} />}</Loaded>
    </>
  );
}

function MachineList({ peers }: { readonly peers: readonly Peer[] }) {
  const terms = route.useSearch();
  const { q = "", state, sort } = terms;
  const navigate = route.useNavigate();
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set());
  const actions = usePeerActions();
  const canGroup = may(useMe(), "groups", "update");
  const machines = useMemo(() => peers.filter(({ kind }) => kind === "machine"), [peers]);
  const shown = useMatching(machines, terms);
  const view = useListView("Machines", COLUMNS);
  const put = (change: { readonly [T in keyof MachineTerms]?: string | undefined }): void =>
    void navigate({ search: (old) => machineTermsOf({ ...old, ...change }), replace: true });
  if (machines.length === 0) return <NoMachine />;
  return (
    <>
      <SearchBox
        label="Filter machines"
        value={q}
        onValue={(value) => put({ q: value })}
        shown={shown.length}
        total={machines.length}
        end={
          <div className="flex gap-2">
            <ViewButton {...view.button} terms={{ ...terms }} />
            <ExportButton what="machines" columns={PEER_CSV} rows={shown} />
          </div>
        }
      >
        <SelectField
          label="State"
          isLabelHidden
          value={state ?? EVERY}
          onValue={(value) => put({ state: value === EVERY ? undefined : value })}
          choices={STATES}
        />
      </SearchBox>
      <BulkBar
        what="machines"
        rows={shown}
        selected={selected}
        rowId={({ id }) => id}
        nameOf={({ name }) => name}
        onSelected={setSelected}
        actions={actions}
      >
        {canGroup ? <AddToGroups selected={selected} onDone={() => setSelected(new Set())} /> : null}
      </BulkBar>
      <DataTable
        label="Machines"
        rows={shown}
        rowId={({ id }) => id}
        columns={view.shown}
        sort={{ text: sort, onText: (text) => put({ sort: text }) }}
        {...(actions.length === 0 ? {} : { selected, onSelected: setSelected })}
      />
    </>
  );
}

function useMatching(machines: readonly Peer[], { q = "", state }: MachineTerms): Peer[] {
  const [nowMs] = useState(() => Date.now());
  return useMemo(() => {
    const inState = machines.filter((peer) => isInState(peer, state, nowMs));
    return filtered(inState, q, textsOf);
  }, [machines, q, state, nowMs]);
}

function textsOf({ name, dns_label, ip, os, groups }: Peer): readonly string[] {
  return [name, dns_label, ip, os, ...groups.map((group) => group.name)];
}

function NoMachine() {
  return (
    <Empty
      title="No machine yet"
      action={
        <ButtonLink to="/machines/add" weight="primary">
          Add a machine
        </ButtonLink>
      }
    >
      One line on the machine, and it appears here.
    </Empty>
  );
}

const EVERY = "every";
const STATES = [
  { value: EVERY, label: "In every state" },
  { value: "connected", label: "Connected" },
  { value: "offline", label: "Offline" },
  { value: "lost", label: "Not seen for 30 days" },
  { value: "waiting", label: "Waiting for approval" },
  { value: "blocked", label: "Blocked" },
];

const COLUMNS: readonly Column<Peer>[] = [
  {
    id: "name",
    header: "Machine",
    sortBy: ({ name }) => name.toLowerCase(),
    cell: ({ id, name }) => (
      <Link
        to="/machines/$machineId"
        params={{ machineId: id }}
        className="font-medium text-accent hover:underline"
      >
        {name}
      </Link>
    ),
  },
  {
    id: "state",
    header: "State",
    sortBy: ({ connected }) => Number(!connected),
    cell: (peer) => <MachineState peer={peer} />,
  },
  {
    id: "groups",
    header: "Groups",
    from: "md",
    cell: ({ groups }) => <GroupNames groups={groups} />,
  },
  { id: "ip", header: "Address", cell: ({ ip }) => <code className="font-mono text-xs">{ip}</code> },
  { id: "os", header: "System", from: "lg", sortBy: ({ os }) => os, cell: ({ os }) => os },
  {
    id: "version",
    header: "Version",
    from: "xl",
    sortBy: ({ version }) => version,
    cell: ({ version }) => version,
  },
  {
    id: "seen",
    header: "Last seen",
    from: "lg",
    sortBy: ({ last_seen }) => last_seen,
    cell: ({ last_seen, connected }) => (connected ? "now" : <Time iso={last_seen} />),
  },
];

/** As many names as fit. `All` comes last, because it tells nothing. */
function GroupNames({ groups }: { readonly groups: Peer["groups"] }) {
  const ordered = [...groups].sort((a, b) => Number(a.name === "All") - Number(b.name === "All"));
  return <BadgeList names={ordered.map(({ name }) => name)} />;
}
