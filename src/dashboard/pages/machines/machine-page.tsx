/**
 * A machine: its state, its facts, its owner, and the actions on it.
 *
 * @module
 */
import { useQuery } from "@tanstack/react-query";
import { getRouteApi, useNavigate } from "@tanstack/react-router";
import { SquareTerminal } from "lucide-react";
import { useState } from "react";
import type { Answer } from "../../api/client.ts";
import { reading, useChange } from "../../api/queries.ts";
import { may, useMe } from "../../app/me.ts";
import { Badge } from "../../components/badge.tsx";
import { Button, ButtonLink } from "../../components/button.tsx";
import { Card, Facts } from "../../components/card.tsx";
import { CopyLine } from "../../components/copy-button.tsx";
import { ConfirmDialog, FormDialog } from "../../components/dialog.tsx";
import { TextField } from "../../components/field.tsx";
import { Loaded } from "../../components/loaded.tsx";
import { Menu } from "../../components/menu.tsx";
import { Empty } from "../../components/notice.tsx";
import { PageHeader } from "../../components/page-header.tsx";
import { Time } from "../../components/time.tsx";
import { useToast } from "../../components/toasts.tsx";
import { MachineSessions } from "./machine-sessions.tsx";
import { MachineState } from "./machine-state.tsx";

type Peer = Answer<"GET /api/peers/:peerId">;

const route = getRouteApi("/machines/$machineId");

export function MachinePage() {
  const { machineId } = route.useParams();
  const machine = useQuery(reading("GET /api/peers/:peerId", { params: { peerId: machineId } }));
  if (machine.error?.status === 404) return <Gone />;
  return (
    <Loaded query={machine} rows={8}>
      {(peer) => <Machine peer={peer} />}
    </Loaded>
  );
}

function Gone() {
  return (
    <Empty title="This machine is gone" action={<ButtonLink to="/machines">All machines</ButtonLink>}>
      It was removed from the network. The audit log says when, and by whom.
    </Empty>
  );
}

function Machine({ peer }: { readonly peer: Peer }) {
  const me = useMe();
  return (
    <>
      <PageHeader
        title={peer.name}
        about={
          <span className="flex flex-wrap items-center gap-2">
            <MachineState peer={peer} />
            {peer.connected ? null : (
              <span>
                last seen <Time iso={peer.last_seen} />
              </span>
            )}
          </span>
        }
        actions={may(me, "peers", "update") ? <Actions peer={peer} /> : null}
      />
      <Details peer={peer} />
    </>
  );
}

function Details({ peer }: { readonly peer: Peer }) {
  return (
    <div className="grid grid-cols-1 gap-4 lg:grid-cols-2">
      <Card title="Connect">
        <CopyLine label="Copy the command" text={`qf ssh ${peer.name}`} />
        <p className="mt-2 text-soft">
          Put a local user before the name, as in <code className="font-mono">USER@{peer.name}</code>.
        </p>
        <ButtonLink to="/terminal/$machine" params={{ machine: peer.name }} className="mt-3">
          <SquareTerminal size={16} aria-hidden="true" />
          Open terminal
        </ButtonLink>
      </Card>
      <Card title="Facts">
        <Facts
          facts={[
            [
              "Name",
              <code key="dns" className="font-mono text-xs">
                {peer.dns_label}
              </code>,
            ],
            [
              "Address",
              <code key="ip" className="font-mono text-xs">
                {peer.ip}
              </code>,
            ],
            ["System", [peer.os, peer.kernel_version].filter(Boolean).join(" ")],
            ["Version", peer.version],
            ["SSH server", peer.ssh_enabled ? "on" : "off"],
            ["Added", <Time key="added" iso={peer.created_at} exact />],
            ["Connected from", peer.connection_ip === "" ? null : peer.connection_ip],
          ]}
        />
      </Card>
      <MachineSessions peer={peer} />
      <Card title="Groups">
        <ul className="flex flex-wrap gap-1.5">
          {peer.groups.map(({ id, name }) => (
            <li key={id}>
              <Badge>{name}</Badge>
            </li>
          ))}
        </ul>
      </Card>
    </div>
  );
}

type Asked = "rename" | "block" | "delete" | null;
type Change = Partial<{ name: string; blocked: boolean; ssh_enabled: boolean; approval_required: boolean }>;

function Actions({ peer }: { readonly peer: Peer }) {
  const [asked, setAsked] = useState<Asked>(null);
  const change = useChange("PUT /api/peers/:peerId", ["my"]);
  const params = { peerId: peer.id };
  const put = (
    part: Partial<{ name: string; blocked: boolean; ssh_enabled: boolean; approval_required: boolean }>,
  ) => change.mutateAsync({ params, body: { ...bodyOf(peer), ...part } });
  return (
    <>
      {peer.approval_required ? (
        <Button
          weight="primary"
          busy={change.isPending}
          onClick={() => void put({ approval_required: false })}
        >
          Approve
        </Button>
      ) : null}
      <Menu
        trigger={<Button>Actions</Button>}
        actions={[
          { label: "Rename", onSelect: () => setAsked("rename") },
          {
            label: peer.ssh_enabled ? "Switch its SSH server off" : "Switch its SSH server on",
            onSelect: () => void put({ ssh_enabled: !peer.ssh_enabled }),
          },
          null,
          peer.blocked === true
            ? { label: "Let in again", onSelect: () => void put({ blocked: false }) }
            : { label: "Block", danger: true, onSelect: () => setAsked("block") },
          { label: "Remove", danger: true, onSelect: () => setAsked("delete") },
        ]}
      />
      <Dialogs peer={peer} asked={asked} onClose={() => setAsked(null)} put={put} />
    </>
  );
}

interface DialogsProps {
  readonly peer: Peer;
  readonly asked: Asked;
  readonly onClose: () => void;
  readonly put: (part: Change) => Promise<unknown>;
}

function Dialogs({ peer, asked, onClose, put }: DialogsProps) {
  const [name, setName] = useState(peer.name);
  const remove = useChange("DELETE /api/peers/:peerId", ["my", "groups"]);
  const tell = useToast();
  const navigate = useNavigate();
  const removePeer = async (): Promise<void> => {
    await remove.mutateAsync({ params: { peerId: peer.id } });
    tell(`${peer.name} was removed.`);
    await navigate({ to: "/machines" });
  };
  return (
    <>
      <FormDialog
        open={asked === "rename"}
        onOpenChange={onClose}
        title={`Rename ${peer.name}`}
        submit="Rename"
        disabled={name.trim() === ""}
        onSubmit={() => put({ name: name.trim() })}
      >
        <TextField label="Name" value={name} onValue={setName} maxLength={256} autoFocus />
      </FormDialog>
      <ConfirmDialog
        open={asked === "block"}
        onOpenChange={onClose}
        title={`Block ${peer.name}?`}
        verb="Block"
        onConfirm={() => put({ blocked: true })}
      >
        <p>Nobody reaches it any more, and it reaches nobody. Every connection to it ends now.</p>
      </ConfirmDialog>
      <ConfirmDialog
        open={asked === "delete"}
        onOpenChange={onClose}
        title={`Remove ${peer.name}?`}
        verb="Remove"
        onConfirm={removePeer}
      >
        <p>It leaves the network, and every connection to it ends now. It can join again with a setup key.</p>
      </ConfirmDialog>
    </>
  );
}

/** What a change of one field repeats of the others. */
function bodyOf(peer: Peer) {
  const { name, ssh_enabled, login_expiration_enabled, inactivity_expiration_enabled } = peer;
  return { name, ssh_enabled, login_expiration_enabled, inactivity_expiration_enabled };
}
