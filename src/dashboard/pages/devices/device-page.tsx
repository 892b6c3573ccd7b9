/**
 * A device of a person: its state, what it runs, its groups, where it is used from now, and what can be done.
 *
 * @module
 */
import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import type { Answer } from "../../api/client.ts";
import { reading } from "../../api/queries.ts";
import { Card, Facts } from "../../components/card.tsx";
import { Detail } from "../../components/detail.tsx";
import { Loaded } from "../../components/loaded.tsx";
import { PageHeader } from "../../components/page-header.tsx";
import { Time } from "../../components/time.tsx";
import { MachineState } from "../machines/machine-state.tsx";
import { PeerActions } from "../machines/peer-actions.tsx";
import { PeerGroups } from "../machines/peer-groups.tsx";
import { PeerOwner } from "../machines/peer-owner.tsx";

type Peer = Answer<"GET /api/peers/:peerId">;

const route = getRouteApi("/devices/$deviceId");
const BACK = { to: "/devices", label: "All devices" } as const;

export function DevicePage() {
  const { deviceId } = route.useParams();
  const device = useQuery(reading("GET /api/peers/:peerId", { params: { peerId: deviceId } }));
  return (
    <Detail
      query={device}
      what="device"
      back={BACK}
      gone="It was removed, or its person was deleted. The audit log says when, and by whom."
    >
      {(peer) => <Shown key={peer.id} peer={peer} />}
    </Detail>
  );
}

function Shown({ peer }: { readonly peer: Peer }) {
  return (
    <>
      <PageHeader
        title={peer.name}
        about={
          <span className="flex flex-wrap items-center gap-2">
            <MachineState peer={peer} />
            {peer.user_id === "" ? null : (
              <span>
                of <PeerOwner userId={peer.user_id} />
              </span>
            )}
            {peer.connected ? null : (
              <span>
                last seen <Time iso={peer.last_seen} />
              </span>
            )}
          </span>
        }
        actions={<PeerActions peer={peer} />}
      />
      <div className="grid grid-cols-1 items-start gap-4 lg:grid-cols-2">
        <About peer={peer} />
        <Reaches peer={peer} />
        <PeerGroups peer={peer} />
      </div>
    </>
  );
}

function About({ peer }: { readonly peer: Peer }) {
  const activity = (
    <Link to="/audit" search={{ machine: peer.id }} className="text-accent hover:underline">
      Activity
    </Link>
  );
  return (
    <Card title="Facts" actions={activity}>
      <Facts
        facts={[
          ["Person", peer.user_id === "" ? null : <PeerOwner key="owner" userId={peer.user_id} />],
          ["System", [peer.os, peer.kernel_version].filter(Boolean).join(" ") || null],
          ["Version", peer.version || null],
          [
            "Address",
            <code key="ip" className="font-mono text-xs">
              {peer.ip}
            </code>,
          ],
          ["Last sign-in", <Time key="login" iso={peer.last_login} exact />],
          ["Sign-in", peer.login_expiration_enabled ? "expires, and is asked for again" : "never expires"],
          ["Added", <Time key="added" iso={peer.created_at} exact />],
          ["Vouched for by", peer.vouched_by === undefined ? null : <Voucher key="by" peer={peer} />],
        ]}
      />
    </Card>
  );
}

function Voucher({ peer }: { readonly peer: Peer }) {
  return (
    <Link
      to="/machines/$machineId"
      params={{ machineId: peer.vouched_by?.peer_id ?? "" }}
      className="text-accent hover:underline"
    >
      the machine that it runs on
    </Link>
  );
}

const SHOWN_MAX = 12;

function Reaches({ peer }: { readonly peer: Peer }) {
  const machines = useQuery(
    reading("GET /api/peers/:peerId/accessible-peers", { params: { peerId: peer.id } }),
  );
  return (
    <Card title="Machines that it reaches">
      <Loaded query={machines} rows={2}>
        {(all) =>
          all.length === 0 ? (
            <p className="text-soft">None. No rule lets its person on to a machine from it.</p>
          ) : (
            <ul className="flex flex-wrap gap-x-4 gap-y-1">
              {all.slice(0, SHOWN_MAX).map(({ id, name }) => (
                <li key={id} className="min-w-0">
                  <Link
                    to="/machines/$machineId"
                    params={{ machineId: id }}
                    className="text-accent hover:underline"
                  >
                    <bdi>{name}</bdi>
                  </Link>
                </li>
              ))}
              {all.length > SHOWN_MAX ? (
                <li className="text-soft">and {(all.length - SHOWN_MAX).toLocaleString("en")} more</li>
              ) : null}
            </ul>
          )
        }
      </Loaded>
    </Card>
  );
}
