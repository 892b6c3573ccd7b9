/**
 * The page of one device: its state, software, groups, current sessions, and the actions on it.
 *
 * @module
 */
import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { reading } from "../../api/queries.ts";
import { Card, Facts } from "../../components/card.tsx";
import { Loaded } from "../../components/loaded.tsx";
import { Time } from "../../components/time.tsx";
import { PeerGroups } from "../machines/peer-groups.tsx";
import { PeerOwner } from "../machines/peer-owner.tsx";
import { type Peer, PeerPage } from "../machines/peer-page.tsx";

const route = getRouteApi("/devices/$deviceId");
const BACK = { to: "/devices", label: "All devices" } as const;

export function DevicePage() {
  const { deviceId } = route.useParams();
  return (
    <PeerPage
      peerId={deviceId}
      what="device"
      back={BACK}
      gone="It was removed, or its person was deleted. The audit log says when, and by whom."
      about={(peer) => <OfPerson peer={peer} />}
    >
      {(peer) => (
        <div className="grid grid-cols-1 items-start gap-4 lg:grid-cols-2">
          <About peer={peer} />
          <Reaches peer={peer} />
          <PeerGroups peer={peer} />
        </div>
      )}
    </PeerPage>
  );
}

function OfPerson({ peer }: { readonly peer: Peer }) {
  if (peer.user_id === "") return null;
  return (
    <span>
      of <PeerOwner userId={peer.user_id} />
    </span>
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
