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
  close(): void;
}

/** Ports told apart in SSH_CONNECTION. */
const PORT_MAX = 65_535;

export function createRelayLink(options: RelayLinkOptions): RelayLink {
  const { clock, log, enrolled, deviceKey, gate } = options;
  let offer: RelayOffer | null = null;
  let isUp = false;
  let isWanted = false;
  let attempt = 0;
  let lastPort = 0;
  let retry: ReturnType<typeof setTimeout> | undefined;

  function connect(): void {
    clearTimeout(retry);
    if (!isWanted || offer !== null || !options.isManagementUp()) return;
    const { accountId, origin, peerId } = enrolled;
    const made: RelayOffer = offerToRelay({
      origin,
      proof: signRelayServe({
        deviceKey,
        scope: { accountId, origin },
        peerId,
        nowSeconds: nowSeconds(clock),
      }),
      onUp: () => {
        isUp = true;
        attempt = 0;
        log.info("the link to the relay is up");
      },
      onDown: () => {
        if (offer !== made) return;
        if (isUp) log.warn("the link to the relay is down");
        offer = null;
        isUp = false;
        retry = setTimeout(connect, backoffMs(attempt, (options.random ?? Math.random)()));
        attempt += 1;
      },
      onStream: take,
    });
    offer = made;
  }

  function take({ hello, sourceAddress: said }: RelayOpen, stream: RelayStream): boolean {
    const sourceAddress = isAddress(said) ? said : "0.0.0.0";
    let isForged = false;
    const onHostile = () => {
      isForged = true;
    };
    const checked = gate.check(hello, sourceAddress, onHostile);
    if (checked === null) {
      options.refusals.relay(sourceAddress, isForged);
      return false;
    }
    // The relay's word for a port could be anybody else's: ours tells our streams apart.
    lastPort = (lastPort % PORT_MAX) + 1;
    options.take(stream, checked, {
      path: "relay",
      sourceAddress,
      sourcePort: lastPort,
      localAddress: enrolled.address,
      localPort: SSH_PORT,
    });
    return true;
  }

  function drop(): void {
    clearTimeout(retry);
    const old = offer;
    offer = null;
    isUp = false;
    old?.close();
  }

  return {
    state: () => ({ connected: isUp, streams: offer?.streams ?? 0 }),
    want(wanted) {
      isWanted = wanted;
      if (wanted) connect();
      else drop();
    },
    retryNow() {
      attempt = 0;
      connect();
    },
    close() {
      isWanted = false;
      drop();
    },
  };
}

/** It ends in an environment variable and in evidence; a relay that lies must not write there. */
function isAddress(text: string): boolean {
  return /^[0-9A-Fa-f.:]{2,45}$/.test(text);
}
