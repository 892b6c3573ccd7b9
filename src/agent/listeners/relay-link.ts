/**
 * The agent's link to the relay: kept while the SSH server is on and management answers. What comes in on
 * it meets the same gate as a direct connection; the relay is not trusted.
 *
 * @module
 */
import { type Clock, nowSeconds } from "../../base/clock.ts";
import type { Ed25519Key } from "../../base/ed25519.ts";
import type { Log } from "../../base/log.ts";
import { offerToRelay, type RelayOffer, signRelayServe } from "../../fabric/relay-client.ts";
import type { RelayStream } from "../../fabric/relay-stream.ts";
import type { Enrolled } from "../../wire/agent-state-file.ts";
import { SSH_PORT } from "../../wire/ports.ts";
import type { RelayOpen } from "../../wire/relay.ts";
import { backoffMs } from "../control-link/backoff.ts";
import type { Gate } from "./hello-check.ts";
import type { Refusals } from "./refusals.ts";
import type { TakeStream } from "./stream-taker.ts";

export interface RelayLinkOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly enrolled: Enrolled;
  readonly deviceKey: Ed25519Key;
  readonly gate: Gate;
  readonly refusals: Refusals;
  readonly take: TakeStream;
  /** Whether the control link is up: without it nothing is tried. */
  isManagementUp(): boolean;
  /** An earlier agent still serves streams over a link of its own. */
  readonly isSuccessor?: boolean;
  /** In [0, 1). */
  readonly random?: () => number;
}

export interface RelayLinkState {
  readonly connected: boolean;
  readonly streams: number;
}

export interface RelayLink {
  state(): RelayLinkState;
  /** Whether there should be a link: the SSH server is on. Ending it ends its streams. */
  want(isWanted: boolean): void;
  /** Management answers again: a link that is wanted is made at once. */
  retryNow(): void;
  /** There is a successor: a link that is up serves its streams to their end, and is not made again. */
  leave(): void;
  close(): void;
}

/** Ports told apart in SSH_CONNECTION. */
const PORT_MAX = 65_535;

/** A link that is made once it is wanted. */
export function createRelayLink(options: RelayLinkOptions): RelayLink {
  return new OfferedLink(options);
}

class OfferedLink implements RelayLink {
  readonly #options: RelayLinkOptions;
  /**
   * `unwanted`: no link is to be. `away`: there is none. `connecting`: an offer is under way. `left`: one is
   * up, and there is a successor.
   */
  #state: "unwanted" | "away" | "connecting" | "up" | "left" = "unwanted";
  /** While connecting, up or left. */
  #offer: RelayOffer | null = null;
  #attempt = 0;
  #retryTimer: ReturnType<typeof setTimeout> | undefined;
  #lastPort = 0;
  /** Until a link of ours was up: from then on an older one is ours, and dead. */
  #isBeside: boolean;

  constructor(options: RelayLinkOptions) {
    this.#options = options;
    this.#isBeside = options.isSuccessor === true;
  }

  state(): RelayLinkState {
    return { connected: this.#state === "up", streams: this.#offer?.streams ?? 0 };
  }

  want(isWanted: boolean): void {
    if (!isWanted) {
      this.close();
      return;
    }
    if (this.#state === "unwanted") this.#state = "away";
    this.#connect();
  }

  retryNow(): void {
    this.#attempt = 0;
    this.#connect();
  }

  leave(): void {
    if (this.#state === "up") this.#state = "left";
    else this.close();
  }

  close(): void {
    clearTimeout(this.#retryTimer);
    const offer = this.#offer;
    this.#offer = null;
    this.#state = "unwanted";
    offer?.close();
  }

  #connect(): void {
    const { clock, deviceKey, enrolled, isManagementUp } = this.#options;
    clearTimeout(this.#retryTimer);
    if (this.#state !== "away" || !isManagementUp()) return;
    this.#state = "connecting";
    const { accountId, origin, peerId } = enrolled;
    const scope = { accountId, origin };
    const offer: RelayOffer = offerToRelay({
      origin,
      isBeside: this.#isBeside,
      proof: signRelayServe({ deviceKey, scope, peerId, nowSeconds: nowSeconds(clock) }),
      onUp: () => {
        if (this.#offer === offer) this.#onUp();
      },
      onDown: () => {
        if (this.#offer === offer) this.#onDown();
      },
      onStream: (open, stream) => this.#take(open, stream),
    });
    this.#offer = offer;
  }

  #onUp(): void {
    this.#state = "up";
    this.#isBeside = false;
    this.#attempt = 0;
    this.#options.log.info("the link to the relay is up");
  }

  #onDown(): void {
    if (this.#state === "left") return;
    const { log, random = Math.random } = this.#options;
    if (this.#state === "up") log.warn("the link to the relay is down");
    this.#offer = null;
    this.#state = "away";
    this.#retryTimer = setTimeout(() => this.#connect(), backoffMs(this.#attempt, random()));
    this.#attempt += 1;
  }

  #take({ hello, sourceAddress: claimed }: RelayOpen, stream: RelayStream): boolean {
    const { gate, refusals, take, enrolled } = this.#options;
    const sourceAddress = isAddress(claimed) ? claimed : "0.0.0.0";
    let isForged = false;
    const onHostile = () => {
      isForged = true;
    };
    const checked = gate.check(hello, sourceAddress, onHostile);
    if (checked === null) {
      refusals.relay(sourceAddress, isForged);
      return false;
    }
    // The relay's word for a port could be anybody else's: ours tells our streams apart.
    this.#lastPort = (this.#lastPort % PORT_MAX) + 1;
    take(stream, checked, {
      path: "relay",
      sourceAddress,
      sourcePort: this.#lastPort,
      localAddress: enrolled.address,
      localPort: SSH_PORT,
    });
    return true;
  }
}

/** It ends in an environment variable and in evidence; a relay that lies must not write there. */
function isAddress(text: string): boolean {
  return /^[0-9A-Fa-f.:]{2,45}$/.test(text);
}
