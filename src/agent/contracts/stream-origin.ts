/**
 * The origin of a stream that came to this machine: its path, and the addresses of its ends.
 *
 * @module
 */
import type { HelloVia } from "../../wire/hello.ts";
import type { PeerId } from "../../wire/units.ts";

/** How a stream came to this machine. */
export interface StreamOrigin {
  readonly path: "direct" | "relay" | "plain" | "stdio";
  /** Address of the other end, for people and audit. */
  readonly sourceAddress: string;
  /** Its port. Through the relay a number of ours, since the relay's word could be anybody's. */
  readonly sourcePort: number;
  /** Local address it arrived at, for SSH_CONNECTION; port 22 where it came by the relay. */
  readonly localAddress: string;
  readonly localPort: number;
  /**
   * The device that a checked hello proved. Null where there is no hello (`plain`, `stdio`), and where the
   * device only carries what another program says (`via`).
   */
  readonly sourcePeerId: PeerId | null;
  /** The peer that carries another program's bytes, and whose. Absent: the other end speaks itself. */
  readonly via?: HelloVia & { readonly peerId: PeerId };
}

/** Whether any SSH client may be at the other end: one without a certificate is told how to sign in. */
export function isAnyClient({ path, via }: StreamOrigin): boolean {
  return path === "plain" || via !== undefined;
}
