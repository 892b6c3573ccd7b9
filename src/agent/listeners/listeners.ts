/**
 * All ways in which streams reach this machine: the direct listener, the relay, and the listener for any SSH
 * client (`--plain-ssh-listen`). The first two share one hello check, after which a stream is SSH or a ping.
 *
 * @module
 */
import type { Clock } from "../../base/clock.ts";
import type { Ed25519Key } from "../../base/ed25519.ts";
import type { Log } from "../../base/log.ts";
import type { Enrolled } from "../../wire/agent-state-file.ts";
import { type AgentFlagsStored, LISTEN_NONE } from "../../wire/agent-state-file.ts";
import type { ListenerRole, TakenHello } from "../../wire/handover.ts";
import type { PingAnswer } from "../../wire/ping.ts";
import type { FailureCount } from "../contracts/failure-count.ts";
import type { Inherited } from "../contracts/inherited.ts";
import type { Penalties } from "../contracts/penalties.ts";
import type { SshServer } from "../contracts/server-context.ts";
import type { LogWitness } from "../control-link/log-witness.ts";
import type { MapHolder } from "../control-link/map-holder.ts";
import { directAddresses } from "./direct-addresses.ts";
import { createDirectListener, type DirectListener } from "./direct-listener.ts";
import { createGate, type Gate } from "./hello-check.ts";
import type { PeerPaths } from "./peer-paths.ts";
import { createPings, type Pings } from "./pings.ts";
import { createPlainListener, type PlainListener } from "./plain-listener.ts";
import { createRefusals, type RefusalSums } from "./refusals.ts";
import { createRelayLink, type RelayLink } from "./relay-link.ts";
import { createStreamTaker } from "./stream-taker.ts";

export interface ListenersOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly enrolled: Enrolled;
  readonly deviceKey: Ed25519Key;
  readonly maps: MapHolder;
  readonly ssh: SshServer;
  readonly failures: FailureCount;
  readonly penalties: Penalties;
  /** Records each peer that connects, and its path. */
  readonly paths: PeerPaths;
  /** Whether an earlier process of this agent may have accepted hellos. */
  readonly hadPredecessor: boolean;
  /** Sockets and state handed over by an earlier agent. Absent: none. */
  readonly inherited?: Inherited | undefined;
  /** Called for each accepted hello. */
  onTaken?(hello: TakenHello): void;
  /** Compares the log checkpoints that devices carry. Absent: they are not compared. */
  readonly witness?: Pick<LogWitness, "meetHello">;
  isManagementUp(): boolean;
  answerPing(): PingAnswer;
}

export interface Listeners {
  readonly listener: DirectListener;
  readonly plain: PlainListener;
  readonly relay: RelayLink;
  readonly pings: Pings;
  /** Streams refused recently. */
  refused(): RefusalSums;
  /**
   * Listens as `flags` say and offers this machine to the relay. Throws ERR_ADDRESS_IN_USE, ERR_PERMISSION or
   * ERR_USAGE, and then listens as `before` says.
   */
  listen(flags: AgentFlagsStored, before: AgentFlagsStored): Promise<void>;
  readonly gate: Gate;
  /** Listening sockets, for a successor. */
  listening(): { readonly role: ListenerRole; readonly address: string; readonly fd: number }[];
  /** A successor has taken over: accepts no more, but streams continue. */
  leave(): void;
  /** Addresses that others are told to dial. */
  advertisedAddresses(flags: AgentFlagsStored): string[];
}

export function createListeners(options: ListenersOptions): Listeners {
  const { clock, log, enrolled, deviceKey, maps, ssh, failures, penalties, paths } = options;
  const { hadPredecessor } = options;
  const gate = createGate({
    ...{ clock, failures, hadPredecessor, inherited: options.inherited },
    onTaken: (hello) => options.onTaken?.(hello),
    snapshot: () => maps.snapshot(),
    onCheckpoint: (checkpoint) => void options.witness?.meetHello(checkpoint),
  });
  const refusals = createRefusals(clock);
  const pings = createPings({
    mayGoOn: (hello) => gate.mayGoOn(hello),
    answer: () => options.answerPing(),
  });
  const take = createStreamTaker({ ssh, pings, paths });
  const listener = createDirectListener({ clock, gate, penalties, refusals, take });
  const isManagementUp = () => options.isManagementUp();
  const relay = createRelayLink({
    ...{ clock, log, enrolled, deviceKey, gate, refusals, take },
    isSuccessor: options.inherited !== undefined,
    isManagementUp,
  });
  const plain = createPlainListener(ssh);
  return {
    listener,
    plain,
    relay,
    pings,
    refused: () => refusals.sums(),
    async listen(flags, before) {
      const { sshServer, plainSshListen } = flags;
      const { inherited } = options;
      const direct = directAddress(flags);
      await listener.listenAt(direct, direct === null ? undefined : inherited?.take("direct"));
      try {
        const address = sshServer ? plainSshListen : null;
        await plain.listenAt(address, address === null ? undefined : inherited?.take("plain"));
      } catch (cause) {
        await listener.listenAt(directAddress(before)).catch(() => {});
        throw cause;
      }
      relay.want(sshServer);
    },
    gate,
    listening: () => listeningOf({ direct: listener, plain }),
    leave() {
      listener.leave();
      plain.leave();
      relay.leave();
    },
    advertisedAddresses({ advertise }) {
      const listening = listener.addresses();
      return listening.length === 0 ? [] : directAddresses(listening, advertise);
    },
  };
}

function listeningOf(by: Record<ListenerRole, Pick<PlainListener, "addresses" | "descriptor">>) {
  const roles = ["direct", "plain"] as const;
  const all = roles.map((role) => ({
    role,
    address: by[role].addresses()[0] ?? "",
    fd: by[role].descriptor(),
  }));
  return all.filter(({ fd }) => fd >= 0);
}

/** Address of the direct listener. Null: it is off. */
function directAddress(flags: Pick<AgentFlagsStored, "sshServer" | "listen">): string | null {
  return flags.sshServer && flags.listen !== LISTEN_NONE ? flags.listen : null;
}
