/**
 * The devices of a user, and the machines they own.
 *
 * @module
 */
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { reading } from "../../api/queries.ts";
import { Card } from "../../components/card.tsx";
import { Loaded } from "../../components/loaded.tsx";
import { Time } from "../../components/time.tsx";
import { MachineState } from "../machines/machine-state.tsx";
import type { User } from "./person-words.ts";

export function PersonDevices({ user }: { readonly user: User }) {
  const peers = useQuery(reading("GET /api/peers"));
  return (
    <Card title="Devices and machines">
      <Loaded query={peers} rows={2}>
        {(all) => {
          const own = all.filter(({ user_id }) => user_id === user.id);
          if (own.length === 0) {
            return (
              <p className="text-soft">
                {user.is_service_user
                  ? "It has used no token of scope SSH yet."
                  : "None yet: a device appears with the first qf login."}
              </p>
            );
          }
          return (
            <ul className="-my-1 flex flex-col divide-y divide-line">
              {own.map((peer) => (
                <li key={peer.id} className="flex min-h-11 flex-wrap items-center gap-x-3 gap-y-1 py-1.5">
                  <span className="min-w-0 flex-1">
                    {peer.kind === "device" ? (
                      <Link
                        to="/devices/$deviceId"
                        params={{ deviceId: peer.id }}
                        className="font-medium text-accent hover:underline"
                      >
                        <bdi>{peer.name}</bdi>
                      </Link>
                    ) : (
                      <Link
                        to="/machines/$machineId"
                        params={{ machineId: peer.id }}
                        className="font-medium text-accent hover:underline"
                      >
                        <bdi>{peer.name}</bdi>
                      </Link>
                    )}
                    <span className="block text-soft text-xs">
                      {peer.os}
                      {peer.connected ? "" : ", seen "}
                      {peer.connected ? null : <Time iso={peer.last_seen} />}
                    </span>
                  </span>
                  <MachineState peer={peer} />
                </li>
              ))}
            </ul>
          );
        }}
      </Loaded>
    </Card>
  );
}
