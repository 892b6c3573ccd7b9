/**
 * The agent's direct listener. Streams whose hello is accepted go on to SSH.
 *
 * @module
 */
import type { Clock } from "../../base/clock.ts";
import { type ConnectionEnds, type FabricListener, listenFabric } from "../../fabric/listen.ts";
import type { Hello } from "../../wire/hello.ts";
import type { Penalties } from "../contracts/penalties.ts";
import type { Gate } from "./hello-check.ts";
import type { Refusals } from "./refusals.ts";
import type { TakeStream } from "./stream-taker.ts";

export interface DirectListenerOptions {
  readonly clock: Clock;
  readonly gate: Gate;
  readonly penalties: Penalties;
  readonly refusals: Refusals;
  readonly take: TakeStream;
}

export interface DirectListener {
  /** Addresses it listens on. Empty: none. */
  addresses(): readonly string[];
  /** Listens at `address` only. Null: nowhere. On failure nothing changes. */
  listenAt(address: string | null, inheritedFd?: number): Promise<void>;
  /** Descriptor of the listening socket, for a successor. -1: none. */
  descriptor(): number;
  /** Accepts no more connections. Those already accepted may still send their hello. */
  leave(): void;
}

export function createDirectListener(options: DirectListenerOptions): DirectListener {
  const { clock, gate, penalties, refusals, take } = options;
  const sourceOf = (address: string) => ({ peerId: null, address, port: "hello" }) as const;
  const onOffence = (address: string, offence: "invalid-hello" | "grace-exceeded"): void => {
    refusals.direct(address);
    penalties.add(sourceOf(address), offence);
  };
  const check = (line: string, { sourceAddress }: ConnectionEnds): Hello | null => {
    const offend = () => penalties.add(sourceOf(sourceAddress), "invalid-hello");
    const hello = gate.check(line, sourceAddress, offend);
    if (hello === null) refusals.direct(sourceAddress);
    return hello;
  };
  let listener: FabricListener | null = null;
  let wanted: string | null = null;
  return {
    addresses: () => listener?.addresses ?? [],
    async listenAt(address, inheritedFd) {
      if (address === wanted) return;
      const next =
        address === null
          ? null
          : await listenFabric({
              addresses: [address],
              inheritedFd,
              clock,
              refuses: (address) => penalties.isRefused(sourceOf(address)),
              onTurnedAway: (address) => refusals.direct(address),
              onOffence,
              check,
              accept: (stream, hello, ends) => take(stream, hello, { path: "direct", ...ends }),
            });
      const old = listener;
      listener = next;
      wanted = address;
      old?.close();
    },
    descriptor: () => listener?.descriptors()[0] ?? -1,
    leave: () => listener?.leave(),
  };
}
