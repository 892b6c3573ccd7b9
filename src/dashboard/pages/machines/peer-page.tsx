/**
 * The frame that machine and device pages share: header, state and actions.
 *
 * @module
 */
import { useQuery } from "@tanstack/react-query";
import { Fragment, type ReactNode } from "react";
import type { Answer } from "../../api/client.ts";
import { reading } from "../../api/queries.ts";
import { Detail, type WayBack } from "../../components/detail.tsx";
import { PageHeader } from "../../components/page-header.tsx";
import { Time } from "../../components/time.tsx";
import { MachineState } from "./machine-state.tsx";
import { PeerActions } from "./peer-actions.tsx";

export type Peer = Answer<"GET /api/peers/:peerId">;

interface PeerPageProps {
  readonly peerId: string;
  readonly what: "machine" | "device";
  readonly back: WayBack;
  /** Explains why the peer may no longer exist. */
  readonly gone: string;
  /** Further content below the name. */
  readonly about?: (peer: Peer) => ReactNode;
  readonly children: (peer: Peer) => ReactNode;
}

export function PeerPage({ peerId, what, back, gone, about, children }: PeerPageProps) {
  const query = useQuery(reading("GET /api/peers/:peerId", { params: { peerId } }));
  return (
    <Detail query={query} what={what} back={back} gone={gone}>
      {(peer) => (
        <Fragment key={peer.id}>
          <PageHeader
            title={peer.name}
            about={
              <span className="flex flex-wrap items-center gap-2">
                <MachineState peer={peer} />
                {about?.(peer)}
                {peer.connected ? null : (
                  <span>
                    last seen <Time iso={peer.last_seen} />
                  </span>
                )}
              </span>
            }
            actions={<PeerActions peer={peer} />}
          />
          {children(peer)}
        </Fragment>
      )}
    </Detail>
  );
}
