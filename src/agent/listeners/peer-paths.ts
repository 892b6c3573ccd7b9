/**
 * Path and round trip of each peer's latest streams, for `status`.
 *
 * A direct stream is measured by the kernel (TCP_INFO), a relayed one from our first bytes to the first
 * answer. Nothing is sent for the measurement.
 *
 * @module
 */
import { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { RelayStream } from "../../fabric/relay-stream.ts";
import type { PeerId } from "../../wire/units.ts";
import { tcpRoundTripMs } from "../os/native.ts";

/** Peers remembered; the one not heard of for longest is forgotten. */
const PEERS_MAX = 10_000;
/** When a new stream has surely sent and been answered once. */
const FIRST_LOOK_MS = 500;

export interface PeerPath {
  readonly path: "direct" | "relay";
  /** Milliseconds there and back, the last time it was known. Null: not measured. */
  readonly latencyMs: number | null;
  /** Whether a stream of this peer is open. */
  readonly isLive: boolean;
}

export interface PeerPaths {
  /** A stream of `peerId` whose hello was taken. */
  add(peerId: PeerId, path: PeerPath["path"], stream: Duplex): void;
  /** Undefined: it has not been here since this agent started. */
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

/** Bun's sockets have the descriptor; its types do not say so. */
function fdOf(socket: Socket): number | undefined {
  const { _handle: handle } = socket as unknown as { readonly _handle?: { readonly fd?: number } | null };
  return handle?.fd !== undefined && handle.fd >= 0 ? handle.fd : undefined;
}
