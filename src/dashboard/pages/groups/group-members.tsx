/**
 * The machines and devices in a group. A dialog edits them and shows the difference before it is saved.
 *
 * @module
 */
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useMemo, useState } from "react";
import type { Answer } from "../../api/client.ts";
import { reading, useChange } from "../../api/queries.ts";
import { Button } from "../../components/button.tsx";
import { type Column, DataTable } from "../../components/data-table.tsx";
import { distinctNames } from "../../components/distinct-names.ts";
import { Loaded } from "../../components/loaded.tsx";
import { MembersDialog } from "../../components/members-dialog.tsx";
import { NamesField } from "../../components/names-field.tsx";
import { Section } from "../../components/section.tsx";
import { Time } from "../../components/time.tsx";
import { MachineState } from "../machines/machine-state.tsx";
import type { Group } from "./group-dialog.tsx";

type Peer = Answer<"GET /api/peers">[number];

interface GroupMembersProps {
  readonly group: Group;
  readonly canChange: boolean;
}

export function GroupMembers({ group, canChange }: GroupMembersProps) {
  const peers = useQuery(reading("GET /api/peers"));
  const [isOpen, setIsOpen] = useState(false);
  const members = new Set(group.peers.map(({ id }) => id));
  return (
    <Section
      title="Machines and devices"
      actions={
        canChange ? (
          <Button size="small" onClick={() => setIsOpen(true)}>
            Change machines
          </Button>
        ) : null
      }
    >
      <Loaded query={peers} rows={3}>
        {(all) => {
          const shown = all.filter(({ id }) => members.has(id));
          return (
            <>
              {shown.length === 0 ? (
                <p className="text-soft">No machine or device is in it.</p>
              ) : (
                <DataTable
                  label="Machines and devices in it"
                  rows={shown}
                  rowId={({ id }) => id}
                  columns={COLUMNS}
                />
              )}
              {isOpen ? <ChangeMembers group={group} peers={all} onClose={() => setIsOpen(false)} /> : null}
            </>
          );
        }}
      </Loaded>
    </Section>
  );
}

const COLUMNS: readonly Column<Peer>[] = [
  {
    id: "name",
    header: "Name",
    sortBy: ({ name }) => name.toLowerCase(),
    cell: (peer) => <PeerLink peer={peer} />,
  },
  { id: "kind", header: "Kind", from: "md", cell: ({ kind }) => kind ?? "machine" },
  { id: "state", header: "State", cell: (peer) => <MachineState peer={peer} /> },
  {
    id: "seen",
    header: "Last seen",
    from: "md",
    sortBy: ({ last_seen }) => last_seen,
    cell: ({ connected, last_seen }) => (connected ? "now" : <Time iso={last_seen} />),
  },
];

/** The name of a machine or device, linked to its page. */
export function PeerLink({ peer }: { readonly peer: Pick<Peer, "id" | "name" | "kind"> }) {
  const look = "font-medium text-accent hover:underline";
  return peer.kind === "device" ? (
    <Link to="/devices/$deviceId" params={{ deviceId: peer.id }} className={look}>
      <bdi>{peer.name}</bdi>
    </Link>
  ) : (
    <Link to="/machines/$machineId" params={{ machineId: peer.id }} className={look}>
      <bdi>{peer.name}</bdi>
    </Link>
  );
}

interface ChangeMembersProps {
  readonly group: Group;
  readonly peers: readonly Peer[];
  readonly onClose: () => void;
}

function ChangeMembers({ group, peers, onClose }: ChangeMembersProps) {
  const names = useMemo(
    () => distinctNames(peers.map(({ id, name, dns_label }) => ({ id, name, mark: dns_label }))),
    [peers],
  );
  const ids = useMemo(() => new Map([...names].map(([id, name]) => [name, id])), [names]);
  const nameOf = (id: string): string => names.get(id) ?? id;
  const update = useChange("PUT /api/groups/:groupId", ["peers", "access", "my", "policies", "policy"]);
  return (
    <MembersDialog
      title={`Machines and devices in ${group.name}`}
      draftKey={`qf-group-peers:${group.id}`}
      before={group.peers.map(({ id }) => id)}
      nameOf={nameOf}
      onSave={(now) =>
        update.mutateAsync({ params: { groupId: group.id }, body: { name: group.name, peers: [...now] } })
      }
      done={`${group.name} is saved.`}
      onClose={onClose}
    >
      {(now, onNow) => (
        <NamesField
          label="In the group"
          values={now.map(nameOf)}
          onValues={(chosen) => onNow(chosen.map((name) => ids.get(name) ?? name))}
          choices={peers.map(({ id, kind }) => ({ name: nameOf(id), note: kind ?? "machine" }))}
          add="Add a machine or device"
        />
      )}
    </MembersDialog>
  );
}
