/**
 * The hello check, which decides who may open a stream to this machine: first against the map, then by the
 * network rules. All paths share one check, so that a hello accepted on one path is a replay on another.
 *
 * @module
 */
import { type Clock, nowSeconds } from "../../base/clock.ts";
import { checkHello, type HelloRefusal } from "../../fabric/hello.ts";
import { createReplayCache } from "../../fabric/replay-cache.ts";
import { denialOfNetwork } from "../../policy/decide/network-rules.ts";
import { findPeer, type PolicySnapshot } from "../../policy/decide/snapshot.ts";
import { CLOCK_SKEW_SECONDS } from "../../wire/certificate.ts";
import type { Inheritance, TakenHello } from "../../wire/handover.ts";
import type { Hello, HelloCheckpoint } from "../../wire/hello.ts";
import { ruledPort } from "../../wire/ping.ts";
import type { ReasonCode } from "../../wire/reason.ts";
import type { FailureCount } from "../contracts/failure-count.ts";

export interface GateOptions {
  readonly clock: Clock;
  readonly failures: FailureCount;
  /** Whether an earlier process of this state folder may have accepted hellos that this one does not know. */
  readonly hadPredecessor: boolean;
  /** State of the agent whose sockets this one took over. Absent: there was none. */
  readonly inherited?: Pick<Inheritance, "startSeconds" | "hellos"> | undefined;
  snapshot(): PolicySnapshot | null;
  /** Called for each accepted hello. */
  onTaken?(taken: TakenHello): void;
  /** Called when a proven device carries a checkpoint of the log. */
  onCheckpoint?(checkpoint: HelloCheckpoint): void;
}

export interface Gate {
  /** State that a successor needs. */
  known(): Pick<Inheritance, "startSeconds" | "hellos">;
  /** Notes a hello that another process accepted. */
  note(taken: TakenHello): void;
  /**
   * Checks the hello in `line`, which has no newline. Null: refused, and counted as a failure. `onHostile` is
   * called for a line that no honest client sends, whatever its clock or map.
   */
  check(line: string, sourceAddress: string, onHostile?: () => void): Hello | null;
  /** Whether the present rules still allow an accepted hello. */
  mayGoOn(hello: Hello): boolean;
}

/** Reasons recorded for refused hellos. The dialling device is told nothing. */
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

/** Refusals that no honest device causes. */
const HOSTILE: ReadonlySet<HelloRefusal> = new Set(["malformed", "bad_signature", "replayed"]);

/** Makes the check. It remembers hellos from now on. If `hadPredecessor`, it refuses older ones. */
export function createGate(options: GateOptions): Gate {
  const { clock, failures } = options;
  // At the first start nothing can have been accepted before.
  const ownStart = options.hadPredecessor ? nowSeconds(clock) : 0;
  const startSeconds = options.inherited?.startSeconds ?? ownStart;
  const replays = createReplayCache();
  const note = ({ source, nonce, untilSeconds }: TakenHello): void => {
    replays.take(source, nonce, untilSeconds, nowSeconds(clock));
  };
  for (const taken of options.inherited?.hellos ?? []) note(taken);
  const refuse = ({ source, port }: Hello, snapshot: PolicySnapshot) =>
    denialOfNetwork({ sourcePeerId: source, port: ruledPort(port), nowSeconds: nowSeconds(clock) }, snapshot);
  return {
    known: () => ({ startSeconds, hellos: replays.entries() }),
    note,
    check(line, sourceAddress, onHostile) {
      const snapshot = options.snapshot();
      if (snapshot === null) return null;
      const { map } = snapshot;
      const answer = checkHello(line, {
        scope: { accountId: map.accountId, origin: map.origin },
        self: map.self.peerId,
        startSeconds,
        nowSeconds: nowSeconds(clock),
        deviceKeyOf: (peerId) => findPeer(map, peerId)?.deviceKey,
        refuse: (hello) => refuse(hello, snapshot),
        replays,
      });
      if (answer.ok) {
        const { source, nonce, timeSeconds, checkpoint } = answer.hello;
        options.onTaken?.({ source, nonce, untilSeconds: timeSeconds + CLOCK_SKEW_SECONDS });
        if (checkpoint !== undefined) options.onCheckpoint?.(checkpoint);
        return answer.hello;
      }
      if (answer.refusal === "not_allowed") failures.add(sourceAddress, answer.source, answer.reason);
      else {
        failures.add(sourceAddress, null, REASONS[answer.refusal]);
        if (HOSTILE.has(answer.refusal)) onHostile?.();
      }
      return null;
    },
    mayGoOn(hello) {
      const snapshot = options.snapshot();
      return snapshot !== null && refuse(hello, snapshot) === null;
    },
  };
}
