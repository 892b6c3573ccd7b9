/**
 * The page of one machine: its state, facts and owner, and the actions on it.
 *
 * @module
 */
import { getRouteApi, Link } from "@tanstack/react-router";
import { SquareTerminal } from "lucide-react";
import { ButtonLink } from "../../components/button.tsx";
import { Card, Facts } from "../../components/card.tsx";
import { CopyLine } from "../../components/copy-button.tsx";
import { Time } from "../../components/time.tsx";
import { MachineSessions } from "./machine-sessions.tsx";
import { PeerGroups } from "./peer-groups.tsx";
import { PeerOwner } from "./peer-owner.tsx";
import { type Peer, PeerPage } from "./peer-page.tsx";

const route = getRouteApi("/machines/$machineId");
const BACK = { to: "/machines", label: "All machines" } as const;

export function MachinePage() {
  const { machineId } = route.useParams();
  return (
    <PeerPage
      peerId={machineId}
      what="machine"
      back={BACK}
      gone="It was removed from the network, or the link is not right. The audit log says when, and by whom."
    >
      {(peer) => <Details peer={peer} />}
    </PeerPage>
  );
}

function Details({ peer }: { readonly peer: Peer }) {
  return (
    <div className="grid grid-cols-1 items-start gap-4 lg:grid-cols-2">
      <div className="flex min-w-0 flex-col gap-4">
        <Connect peer={peer} />
        <MachineSessions peer={peer} />
      </div>
      <div className="flex min-w-0 flex-col gap-4">
        <About peer={peer} />
        <PeerGroups peer={peer} />
      </div>
    </div>
  );
}

function Connect({ peer }: { readonly peer: Peer }) {
  return (
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
  );
}

function About({ peer }: { readonly peer: Peer }) {
  return (
    <Card title="Facts" actions={<Questions peer={peer} />}>
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
          ["Owner", peer.user_id === "" ? null : <PeerOwner key="owner" userId={peer.user_id} />],
          ["Added", <Time key="added" iso={peer.created_at} exact />],
          ["Connected from", peer.connection_ip === "" ? null : peer.connection_ip],
        ]}
      />
    </Card>
  );
}

/** Links to pages that answer further questions about the machine. */
function Questions({ peer }: { readonly peer: Peer }) {
  return (
    <span className="flex flex-wrap gap-x-4">
      <Link to="/access" search={{ machine: peer.name }} className="text-accent hover:underline">
        Who may log in
      </Link>
      <Link to="/audit" search={{ machine: peer.id }} className="text-accent hover:underline">
        Activity
      </Link>
    </span>
  );
}
