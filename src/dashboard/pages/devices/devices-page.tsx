/**
 * The list of devices: who owns each, what it runs, and an action to block it.
 *
 * @module
 */
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useMemo, useState } from "react";
import type { Answer } from "../../api/client.ts";
import { reading, useChange } from "../../api/queries.ts";
import { may, useMe } from "../../app/me.ts";
import { Button } from "../../components/button.tsx";
import type { CsvColumn } from "../../components/csv.ts";
import type { Column } from "../../components/data-table.tsx";
import { ConfirmDialog } from "../../components/dialog.tsx";
import { FilteredTable, type TableFilter } from "../../components/filtered-table.tsx";
import { Loaded, together } from "../../components/loaded.tsx";
import { Empty } from "../../components/notice.tsx";
import { PageHeader } from "../../components/page-header.tsx";
import { Time } from "../../components/time.tsx";
import { isInState, type MachineFilter } from "../../terms/machine-terms.ts";
import { usePeerActions } from "../machines/machine-actions.tsx";
import { MachineState } from "../machines/machine-state.tsx";
import { PEER_CSV } from "../machines/peer-csv.ts";

type Peer = Answer<"GET /api/peers">[number];
interface Device extends Peer {
  readonly owner: string;
}

export function DevicesPage() {
  const peers = useQuery(reading("GET /api/peers"));
  const users = useQuery(reading("GET /api/users"));
  return (
    <>
      <PageHeader title="Devices" about="Computers from which people connect." />
      <Loaded query={together(peers, users)}>
        {([all, people]) => <DeviceList peers={all.filter(({ kind }) => kind === "device")} users={people} />}
      </Loaded>
    </>
  );
}

interface DeviceListProps {
  readonly peers: readonly Peer[];
  readonly users: Answer<"GET /api/users">;
}

function DeviceList({ peers, users }: DeviceListProps) {
  const actions = usePeerActions();
  const devices = useMemo(() => {
    const names = new Map(users.map(({ id, name, email }) => [id, name || email]));
    return peers.map((peer): Device => ({ ...peer, owner: names.get(peer.user_id) ?? "nobody" }));
  }, [peers, users]);
  if (devices.length === 0) {
    return <Empty title="No device yet">A device appears here when its person signs in with qf login.</Empty>;
  }
  return (
    <FilteredTable<Device>
      label="Devices"
      filterLabel="Filter devices"
      rows={devices}
      rowId={({ id }) => id}
      columns={COLUMNS}
      texts={({ name, owner, os, ip }) => [name, owner, os, ip]}
      filters={FILTERS}
      bulk={{ what: "devices", nameOf: ({ name }) => name, actions }}
      csv={{ what: "devices", columns: CSV }}
    />
  );
}

const inState = (state: MachineFilter, label: string) => ({
  value: state,
  label,
  has: (device: Device) => isInState(device, state, Date.now()),
});

const FILTERS: readonly TableFilter<Device>[] = [
  {
    name: "state",
    label: "State",
    every: "In every state",
    options: [
      inState("connected", "Connected"),
      inState("offline", "Offline"),
      inState("lost", "Not seen for 30 days"),
      inState("waiting", "Waiting for approval"),
      inState("blocked", "Blocked"),
    ],
  },
];

const CSV: readonly CsvColumn<Device>[] = [
  ...PEER_CSV.slice(0, 2),
  ["person", ({ owner }) => owner],
  ...PEER_CSV.slice(2),
];

const COLUMNS: readonly Column<Device>[] = [
  {
    id: "name",
    header: "Device",
    sortBy: ({ name }) => name.toLowerCase(),
    cell: ({ id, name }) => (
      <Link
        to="/devices/$deviceId"
        params={{ deviceId: id }}
        className="font-medium text-accent hover:underline"
      >
        <bdi>{name}</bdi>
      </Link>
    ),
  },
  {
    id: "owner",
    header: "Person",
    sortBy: ({ owner }) => owner.toLowerCase(),
    cell: ({ owner, user_id }) =>
      user_id === "" ? (
        owner
      ) : (
        <Link to="/people/$userId" params={{ userId: user_id }} className="text-accent hover:underline">
          <bdi>{owner}</bdi>
        </Link>
      ),
  },
  { id: "state", header: "State", cell: (peer) => <MachineState peer={peer} /> },
  { id: "os", header: "System", from: "md", sortBy: ({ os }) => os, cell: ({ os }) => os },
  {
    id: "seen",
    header: "Last seen",
    from: "md",
    sortBy: ({ last_seen }) => last_seen,
    cell: ({ last_seen }) => <Time iso={last_seen} />,
  },
  { id: "act", header: "Actions", isActions: true, cell: (device) => <Act device={device} /> },
];

function Act({ device }: { readonly device: Device }) {
  const me = useMe();
  const [asks, setAsks] = useState(false);
  const change = useChange("PUT /api/peers/:peerId", ["my"]);
  if (!may(me, "peers", "update")) return null;
  const { name, ssh_enabled, login_expiration_enabled, inactivity_expiration_enabled } = device;
  const put = (blocked: boolean): Promise<unknown> =>
    change.mutateAsync({
      params: { peerId: device.id },
      body: { name, ssh_enabled, login_expiration_enabled, inactivity_expiration_enabled, blocked },
    });
  if (device.blocked === true) {
    return (
      <Button size="small" busy={change.isPending} onClick={() => void put(false)}>
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
        title={`Block ${name}?`}
        verb="Block"
        onConfirm={() => put(true)}
      >
        <p>Every connection from it ends now, and its logins with it. {device.owner} keeps other devices.</p>
      </ConfirmDialog>
    </>
  );
}
