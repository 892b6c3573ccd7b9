/**
 * The agent's direct listener: what the gate lets in goes on to SSH.
 *
 * @module
 */
import type { Clock } from "../base/clock.ts";
import { type FabricListener, listenFabric } from "../fabric/listen.ts";
import type { Gate } from "./gate.ts";
import type { Penalties } from "./penalties.ts";
import type { TakeStream } from "./stream-taker.ts";

export interface DirectListenerOptions {
  readonly clock: Clock;
  readonly gate: Gate;
  readonly penalties: Penalties;
  readonly take: TakeStream;
}

export interface DirectListener {
  /** Where it listens; empty when it does not. */
  addresses(): readonly string[];
  /** Listens at `address` and nowhere else; null: nowhere. On failure it goes on as before. */
  listenAt(address: string | null): Promise<void>;
}

export function createDirectListener(options: DirectListenerOptions): DirectListener {
  const { clock, gate, penalties, take } = options;
  const sourceOf = (address: string) => ({ peerId: null, address, port: "hello" }) as const;
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
              refuses: (address) => penalties.isRefused(sourceOf(address)),
              onOffence: (address, offence) => penalties.add(sourceOf(address), offence),
              check: (line, { sourceAddress }) =>
                gate.check(line, sourceAddress, () =>
                  penalties.add(sourceOf(sourceAddress), "invalid-hello"),
                ),
              accept: (stream, hello, ends) => take(stream, hello, { path: "direct", ...ends }),
            });
      const old = listener;
      listener = next;
      wanted = address;
      old?.close();
    },
  };
}
