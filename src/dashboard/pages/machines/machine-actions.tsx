/**
 * Bulk actions on machines, as far as the user's role allows.
 *
 * @module
 */
import type { Answer } from "../../api/client.ts";
import { useChange } from "../../api/queries.ts";
import { may, useMe } from "../../app/me.ts";
import type { BulkAction } from "../../components/bulk-bar.tsx";

type Peer = Answer<"GET /api/peers">[number];

export function usePeerActions(): readonly BulkAction<Peer>[] {
  const me = useMe();
  const change = useChange("PUT /api/peers/:peerId", ["my"]);
  const remove = useChange("DELETE /api/peers/:peerId", ["my", "groups"]);
  const put = (peer: Peer, part: { blocked?: boolean; approval_required?: boolean }): Promise<unknown> => {
    const { name, ssh_enabled, login_expiration_enabled, inactivity_expiration_enabled } = peer;
    const body = { name, ssh_enabled, login_expiration_enabled, inactivity_expiration_enabled, ...part };
    return change.mutateAsync({ params: { peerId: peer.id }, body });
  };
  const isBlocked = (peer: Peer): boolean => peer.blocked === true;
  const actions: readonly (BulkAction<Peer> | null)[] = [
    {
      label: "Approve",
      done: "approved",
      applies: (peer) => peer.approval_required,
      run: (peer) => put(peer, { approval_required: false }),
    },
    {
      label: "Let in again",
      done: "let in again",
      applies: isBlocked,
      run: (peer) => put(peer, { blocked: false }),
    },
    {
      label: "Block",
      done: "blocked",
      loss: "Nobody reaches them any more, and they reach nobody. Every connection of theirs ends now.",
      applies: (peer) => !isBlocked(peer),
      run: (peer) => put(peer, { blocked: true }),
    },
    may(me, "peers", "delete")
      ? {
          label: "Remove",
          done: "removed",
          loss: "They leave the network, and every connection of theirs ends now.",
          applies: () => true,
          run: (peer) => remove.mutateAsync({ params: { peerId: peer.id } }),
        }
      : null,
  ];
  return may(me, "peers", "update") ? actions.filter((action) => action !== null) : [];
}
