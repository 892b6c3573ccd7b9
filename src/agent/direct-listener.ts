/**
 * The agent's direct listener: what the gate lets in goes on to SSH.
 *
 * @module
 */
import type { Clock } from "../base/clock.ts";
import { type FabricListener, listenFabric } from "../fabric/listen.ts";
import type { Gate } from "./gate.ts";
import type { SshServer } from "./world.ts";

export interface DirectListenerOptions {
  readonly clock: Clock;
  readonly ssh: SshServer;
  readonly gate: Gate;
}

export interface DirectListener {
  /** Where it listens; empty when it does not. */
  addresses(): readonly string[];
  /** Listens at `address` and nowhere else; null: nowhere. On failure it goes on as before. */
  listenAt(address: string | null): Promise<void>;
}

export function createDirectListener({ clock, ssh, gate }: DirectListenerOptions): DirectListener {
  let listener: FabricListener | null = null;
  let wanted: string | null = null;
  return {
    addresses: () => listener?.addresses ?? [],
    async listenAt(address) {
      if (address === wanted) return;
      const next =
        address === null
          ? null
          : await listenFabric({
              addresses: [address],
              clock,
              check: (line, { sourceAddress }) => gate.check(line, sourceAddress),
              accept: (stream, hello, ends) =>
                ssh.accept(stream, { path: "direct", ...ends, sourcePeerId: hello.source }),
            });
      const old = listener;
      listener = next;
      wanted = address;
      old?.close();
    },
  };
}
