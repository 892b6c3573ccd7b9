/**
 * Path and round-trip time of each peer's latest streams, for `status`.
 *
 * The kernel measures direct streams (TCP_INFO). A relayed stream is timed from our first bytes to the first
 * answer. No traffic is added for this.
 *
 * @module
 */
import { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { RelayStream } from "../../fabric/relay-stream.ts";
import type { PeerId } from "../../wire/units.ts";
import { tcpRoundTripMs } from "../os/native.ts";

/** Most peers remembered. The one not seen for the longest is dropped. */
const PEERS_MAX = 10_000;
/** By then a new stream has certainly sent something and been answered. */
const FIRST_LOOK_MS = 500;

export interface PeerPath {
  readonly path: "direct" | "relay";
  /** Last known round-trip time. Null: not measured. */
  readonly latencyMs: number | null;
  /** Whether this peer has an open stream. */
  readonly isLive: boolean;
}

export interface PeerPaths {
  /** Adds a stream of `peerId` whose hello was accepted. */
  add(peerId: PeerId, path: PeerPath["path"], stream: Duplex): void;
  /** Undefined: the peer has not connected since this agent started. */
  of(peerId: PeerId): PeerPath | undefined;
}

interface Known {
  path: PeerPath["path"];
  latencyMs: number | null;
  readonly streams: Set<Duplex>;
}

/** `measure` is for tests. */
export function createPeerPaths(measure: (stream: Duplex) => number | null = roundTripOf): PeerPaths {
  const peers = new Map<PeerId, Known>();

  function look(entry: Known): void {
    const newest = [...entry.streams].at(-1);
    const measured = newest === undefined ? null : measure(newest);
    if (measured !== null) entry.latencyMs = measured;
  }

  return {
    add(peerId, path, stream) {
      const entry: Known = peers.get(peerId) ?? { path, latencyMs: null, streams: new Set() };
      if (entry.path !== path) entry.latencyMs = null;
      entry.path = path;
      entry.streams.add(stream);
      peers.delete(peerId);
      peers.set(peerId, entry);
      const [oldest] = peers.keys();
      if (peers.size > PEERS_MAX && oldest !== undefined) peers.delete(oldest);
      const timer = setTimeout(look, FIRST_LOOK_MS, entry);
      stream.once("close", () => {
        clearTimeout(timer);
        entry.streams.delete(stream);
      });
    },
    of(peerId) {
      const entry = peers.get(peerId);
      if (entry === undefined) return undefined;
      look(entry);
      return { path: entry.path, latencyMs: entry.latencyMs, isLive: entry.streams.size > 0 };
    },
  };
}

function roundTripOf(stream: Duplex): number | null {
  if (stream instanceof RelayStream) return stream.roundTripMs;
  const fd = stream instanceof Socket ? fdOf(stream) : undefined;
  return fd === undefined ? null : tcpRoundTripMs(fd);
}

/** Bun's sockets have the descriptor, but its types do not. */
function fdOf(socket: Socket): number | undefined {
  const { _handle: handle } = socket as unknown as { readonly _handle?: { readonly fd?: number } | null };
  return handle?.fd !== undefined && handle.fd >= 0 ? handle.fd : undefined;
}
