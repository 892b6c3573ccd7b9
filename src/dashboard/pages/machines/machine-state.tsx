/**
 * A badge with the state of a machine or device.
 *
 * @module
 */
import type { Answer } from "../../api/client.ts";
import { Badge } from "../../components/badge.tsx";

export function MachineState({ peer }: { readonly peer: Answer<"GET /api/peers">[number] }) {
  if (peer.blocked === true) return <Badge tone="bad">blocked</Badge>;
  if (peer.approval_required) return <Badge tone="warn">waits for approval</Badge>;
  if (peer.login_expired) return <Badge tone="warn">sign-in expired</Badge>;
  return peer.connected ? (
    <Badge tone="good" dot>
      connected
    </Badge>
  ) : (
    <Badge>offline</Badge>
  );
}
