/**
 * The people who are on a machine now, with a link to earlier sessions.
 *
 * @module
 */
import type { Answer } from "../../api/client.ts";
import { OnNowCard } from "../sessions/on-now-card.tsx";

type Peer = Answer<"GET /api/peers/:peerId">;

export function MachineSessions({ peer }: { readonly peer: Peer }) {
  return (
    <OnNowCard
      of={{ machine: peer.id }}
      earlier={{ machine: peer.name }}
      none="Nobody is on it."
      nameOf={({ user }) => user || "nobody"}
    />
  );
}
