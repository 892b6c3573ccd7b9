/**
 * The groups of a machine or device, edited in place. The difference is shown before it is saved.
 *
 * @module
 */
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { type Answer, callApi } from "../../api/client.ts";
import { useChange } from "../../api/queries.ts";
import { may, useMe } from "../../app/me.ts";
import { Button } from "../../components/button.tsx";
import { Card } from "../../components/card.tsx";
import { GroupNamesField, useGroupNames } from "../../components/group-names-field.tsx";
import { MembersDialog } from "../../components/members-dialog.tsx";

type Peer = Answer<"GET /api/peers/:peerId">;

export function PeerGroups({ peer }: { readonly peer: Peer }) {
  const me = useMe();
  const [isOpen, setIsOpen] = useState(false);
  const ordered = [...peer.groups].sort((a, b) => Number(a.name === "All") - Number(b.name === "All"));
  return (
    <Card
      title="Groups"
      actions={
        may(me, "groups", "update") ? (
          <Button size="small" onClick={() => setIsOpen(true)}>
            Change groups
          </Button>
        ) : null
      }
    >
      <ul className="flex flex-wrap gap-1.5">
        {ordered.map(({ id, name }) => (
          <li key={id} className="min-w-0">
            <Link
              to="/groups/$groupId"
              params={{ groupId: id }}
              className="inline-flex min-h-7 max-w-full items-center rounded-full bg-sunken px-2.5 font-medium text-xs no-underline ring-1 ring-line ring-inset hover:text-accent pointer-coarse:min-h-11"
            >
              <bdi className="truncate">{name}</bdi>
            </Link>
          </li>
        ))}
      </ul>
      {isOpen ? <ChangeGroups peer={peer} onClose={() => setIsOpen(false)} /> : null}
    </Card>
  );
}

interface ChangeGroupsProps {
  readonly peer: Peer;
  readonly onClose: () => void;
}

function ChangeGroups({ peer, onClose }: ChangeGroupsProps) {
  const before = peer.groups.filter(({ name }) => name !== "All").map(({ id }) => id);
  const nameOf = useGroupNames();
  const update = useChange("PUT /api/groups/:groupId", ["peers", "access", "my", "policy"]);
  const save = async (now: readonly string[]): Promise<void> => {
    const changed = [
      ...now.filter((id) => !before.includes(id)),
      ...before.filter((id) => !now.includes(id)),
    ];
    for (const groupId of changed) {
      // An update replaces the member list, so the current members are sent along.
      const { name, peers } = await callApi("GET /api/groups/:groupId", { params: { groupId } });
      const others = peers.map(({ id }) => id).filter((id) => id !== peer.id);
      const members = now.includes(groupId) ? [...others, peer.id] : others;
      await update.mutateAsync({ params: { groupId }, body: { name, peers: members } });
    }
  };
  return (
    <MembersDialog
      title={`Groups of ${peer.name}`}
      draftKey={`qf-peer-groups:${peer.id}`}
      before={before}
      nameOf={nameOf}
      onSave={save}
      done={`Groups of ${peer.name} are saved.`}
      onClose={onClose}
    >
      {(now, onNow) => (
        <GroupNamesField
          label="In groups"
          hint="Policies that speak of these hold for it, at once."
          ids={now}
          onIds={onNow}
        />
      )}
    </MembersDialog>
  );
}
