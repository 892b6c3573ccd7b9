/**
 * The origin of a stream: its path to this machine, and the addresses of both ends.
 *
 * @module
 */
import type { HelloVia } from "../../wire/hello.ts";
import type { PeerId } from "../../wire/units.ts";

/** How a stream reached this machine. */
export interface StreamOrigin {
  readonly path: "direct" | "relay" | "plain" | "stdio";
  /** Address of the other end, for people and audit. */
  readonly sourceAddress: string;
  /** Port of the other end. For the relay a number of our own, because the relay could claim any. */
  readonly sourcePort: number;
  /** Local address of the stream, for SSH_CONNECTION. Port 22 if it came through the relay. */
  readonly localAddress: string;
  readonly localPort: number;
  /**
   * The device that a checked hello proved. Null without a hello (`plain`, `stdio`), and if the device only
   * carries another program's bytes (`via`).
   */
  readonly sourcePeerId: PeerId | null;
  /**
   * The peer that carries another program's bytes, and whose program. Absent: the other end speaks for
   * itself.
   */
  readonly via?: HelloVia & { readonly peerId: PeerId };
}

/** Whether any SSH client may be at the other end. Clients without a certificate are told how to sign in. */
export function isAnyClient({ path, via }: StreamOrigin): boolean {
  return path === "plain" || via !== undefined;
}
