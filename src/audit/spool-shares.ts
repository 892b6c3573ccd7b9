/**
 * Shares of the spool: how many bytes each person uses, or the peer for events without a person.
 *
 * It counts bytes and tells whether one more event fits. It does no I/O; segments are identified by path.
 *
 * @module
 */
import type { AgentEventBody } from "../wire/audit-event.ts";

/** Id of a user or a peer. Null: the event concerns neither and counts towards no share. */
export type Owner = string | null;

/** Shares apply only once the spool is filled beyond this part. */
const COMMON_SHARE = 3 / 8;
/** The part that one owner may then fill, so that they cannot keep others out. */
const OWNER_SHARE = 1 / 8;

/**
 * The part that denials and SFTP operations may fill. A refused person can retry endlessly, and an admitted
 * one can open files endlessly; neither may keep others out.
 */
const MANY_SHARE = 0.75;

/**
 * The part of the spool, 0 to 1, up to which events like `body` are accepted. The rest is reserved for
 * sessions.
 */
export function shareOfKind(body: AgentEventBody, unprovenShare: number): number {
  if (body.type === "auth.failed") return unprovenShare;
  if (body.type === "sftp.operations") return MANY_SHARE;
  return body.type === "decision" && body.decision.outcome === "deny" ? MANY_SHARE : 1;
}

/** Whether the event ends something that has begun. */
export function isEnd({ type }: AgentEventBody): boolean {
  return type === "session.end" || type === "forward.close" || type === "connection.close";
}

export class SpoolShares {
  readonly #bytes = new Map<string, number>();
  readonly #segments = new Map<string, Map<string, number>>();
  /** Owners that were refused for lack of room and have regained none since. */
  readonly #refused = new Set<string>();
  /** The peer of each connection without a person, whose later events do not name it. */
  readonly #peers = new Map<string, string>();

  /** The owner of the share that an event counts towards. */
  ownerOf(body: AgentEventBody): Owner {
    if (body.type === "decision") return body.request.userId ?? body.request.devicePeerId;
    if (body.type === "connection.open") return body.userId ?? body.devicePeerId;
    if (body.type === "auth.failed" || body.type === "agent.state") return null;
    return body.userId ?? this.#peers.get(body.connectionId) ?? null;
  }

  /** Whether `bytes` more of `owner` fit into a spool of `bytesMax`, of which `used` are filled by all. */
  hasRoom(
    owner: string,
    bytes: number,
    spool: { readonly used: number; readonly bytesMax: number },
  ): boolean {
    if (spool.used + bytes <= spool.bytesMax * COMMON_SHARE) return true;
    return (this.#bytes.get(owner) ?? 0) + bytes <= spool.bytesMax * OWNER_SHARE;
  }

  /** Records that `owner` had no room. True the first time since they last had room. */
  isNews(owner: string): boolean {
    const isNews = !this.#refused.has(owner);
    this.#refused.add(owner);
    return isNews;
  }

  /** Counts bytes that are about to be written. */
  take(owner: Owner, bytes: number): void {
    if (owner !== null) this.#bytes.set(owner, (this.#bytes.get(owner) ?? 0) + bytes);
  }

  /** Returns bytes that were not written or whose segment is gone. */
  give(owner: Owner, bytes: number): void {
    if (owner === null) return;
    this.#refused.delete(owner);
    const left = (this.#bytes.get(owner) ?? 0) - bytes;
    if (left <= 0) this.#bytes.delete(owner);
    else this.#bytes.set(owner, left);
  }

  /** Bytes that were counted by `take` are now in the segment at `path`. */
  stored(path: string, owner: Owner, body: AgentEventBody, bytes: number): void {
    this.#follow(body);
    if (owner === null) return;
    const inSegment = this.#segments.get(path) ?? new Map<string, number>();
    inSegment.set(owner, (inSegment.get(owner) ?? 0) + bytes);
    this.#segments.set(path, inSegment);
  }

  /** Counts an event that was found in the segment at `path`. */
  found(path: string, body: AgentEventBody, bytes: number): void {
    const owner = this.ownerOf(body);
    this.take(owner, bytes);
    this.stored(path, owner, body, bytes);
  }

  /** Returns the bytes of the deleted segment at `path`. */
  dropped(path: string): void {
    for (const [owner, bytes] of this.#segments.get(path) ?? []) this.give(owner, bytes);
    this.#segments.delete(path);
  }

  #follow(body: AgentEventBody): void {
    if (body.type === "connection.close") this.#peers.delete(body.connectionId);
    if (body.type !== "connection.open" || body.userId !== null || body.devicePeerId === null) return;
    this.#peers.set(body.connectionId, body.devicePeerId);
  }
}
