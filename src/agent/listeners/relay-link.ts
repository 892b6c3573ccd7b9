/**
 * The agent's link to the relay, kept while the SSH server is on and management answers. Its streams pass the
 * same hello check as direct connections, because the relay is not trusted.
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
  /** Whether the control link is up. Without it no attempt is made. */
  isManagementUp(): boolean;
  /** An earlier agent still serves streams over its own link. */
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
  /** Turns the link on or off with the SSH server. Turning it off ends its streams. */
  want(isWanted: boolean): void;
  /** Management answers again: connect at once if the link is wanted. */
  retryNow(): void;
  /** A successor has taken over: a link that is up serves its streams to their end, and is not renewed. */
  leave(): void;
  close(): void;
}

/** Port numbers used for SSH_CONNECTION. */
const PORT_MAX = 65_535;

/** Makes a link that connects once it is wanted. */
export function createRelayLink(options: RelayLinkOptions): RelayLink {
  return new OfferedLink(options);
}

class OfferedLink implements RelayLink {
  readonly #options: RelayLinkOptions;
  /**
   * `unwanted`: the link is off. `away`: not connected. `connecting`: an offer is pending. `left`: connected,
   * but a successor has taken over.
   */
  #state: "unwanted" | "away" | "connecting" | "up" | "left" = "unwanted";
  /** Set while connecting, up or left. */
  #offer: RelayOffer | null = null;
  #attempt = 0;
  #retryTimer: ReturnType<typeof setTimeout> | undefined;
  #lastPort = 0;
  /** True until our own link is up. After that, an older link is ours and dead. */
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
    // The relay could claim any port, so our own number identifies the stream.
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

/** The address goes into an environment variable and into evidence, where a lying relay must not write. */
function isAddress(text: string): boolean {
  return /^[0-9A-Fa-f.:]{2,45}$/.test(text);
}
