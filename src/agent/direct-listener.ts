/**
 * The agent's direct listener: hello checked against the map, then the network rules, then SSH.
 *
 * @module
 */
import { type Clock, nowSeconds } from "../base/clock.ts";
import { checkHello, type HelloRefusal } from "../fabric/hello.ts";
import { type ConnectionEnds, type FabricListener, listenFabric } from "../fabric/listen.ts";
import { createReplayCache } from "../fabric/replay-cache.ts";
import { refuseNetwork } from "../policy/network-rules.ts";
import { findPeer, type PolicySnapshot } from "../policy/snapshot.ts";
import type { ReasonCode } from "../wire/decision.ts";
import type { Hello } from "../wire/hello.ts";
import type { FailureCount } from "./failure-count.ts";
import type { SshServer } from "./world.ts";

export interface DirectListenerOptions {
  readonly clock: Clock;
  readonly ssh: SshServer;
  readonly failures: FailureCount;
  /** Whether an earlier process of this state folder may have taken hellos, which we do not remember. */
  readonly hadPredecessor: boolean;
  snapshot(): PolicySnapshot | null;
}

export interface DirectListener {
  /** Where it listens; empty when it does not. */
  addresses(): readonly string[];
  /** Listens at `address` and nowhere else; null: nowhere. On failure it goes on as before. */
  listenAt(address: string | null): Promise<void>;
}

/** What a refused hello counts as in audit; the dialler hears nothing. */
const REASONS: Readonly<Record<HelloRefusal, ReasonCode>> = {
  malformed: "network_not_allowed",
  other_target: "wrong_target",
  other_port: "network_not_allowed",
  clock_skew: "clock_skew",
  before_start: "certificate_replayed",
  source_unknown: "device_unknown",
  bad_signature: "device_unknown",
  replayed: "certificate_replayed",
  replay_cache_full: "limit_reached",
};

/** Makes the listener; it remembers hellos from now on, whether it listens or not. */
export function createDirectListener(options: DirectListenerOptions): DirectListener {
  const { clock, ssh, failures } = options;
  // What nobody can have taken before can not be a repetition: a first start need not refuse it.
  const startSeconds = options.hadPredecessor ? nowSeconds(clock) : 0;
  const replays = createReplayCache();
  let listener: FabricListener | null = null;
  let wanted: string | null = null;

  function check(line: string, ends: ConnectionEnds): Hello | null {
    const snapshot = options.snapshot();
    if (snapshot === null) return null;
    const { map } = snapshot;
    const answer = checkHello(line, {
      scope: { accountId: map.accountId, origin: map.origin },
      self: map.self.peerId,
      startSeconds,
      nowSeconds: nowSeconds(clock),
      deviceKeyOf: (peerId) => findPeer(map, peerId)?.deviceKey,
      replays,
    });
    if (!answer.ok) {
      failures.add(ends.sourceAddress, null, REASONS[answer.refusal]);
      return null;
    }
    const { source, port } = answer.hello;
    const reason = refuseNetwork({ sourcePeerId: source, port, nowSeconds: nowSeconds(clock) }, snapshot);
    if (reason === null) return answer.hello;
    failures.add(ends.sourceAddress, source, reason);
    return null;
  }

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
              check,
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
