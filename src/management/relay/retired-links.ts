/**
 * Links of agents that another agent took over from. They get no new streams and stay until their open
 * streams have ended.
 *
 * @module
 */
import type { PeerId } from "../../wire/units.ts";
import type { AgentLink } from "./relay-hub.ts";

/** Retired links of one machine: so many upgrades within the life of one session. */
const OF_PEER_MAX = 8;

export class RetiredLinks {
  readonly #links = new Set<AgentLink>();

  /** Adds `link`. Returns the link that has to make room for it, or undefined. */
  add(link: AgentLink): AgentLink | undefined {
    this.#links.add(link);
    const ofPeer = this.of(link.peerId);
    return ofPeer.length > OF_PEER_MAX ? ofPeer[0] : undefined;
  }

  of(peerId: PeerId): AgentLink[] {
    return this.all().filter((link) => link.peerId === peerId);
  }

  all(): AgentLink[] {
    return [...this.#links];
  }

  delete(link: AgentLink): void {
    this.#links.delete(link);
  }
}

/** The next free id. Ids are not reused while a frame of their former stream may be in flight. */
export function nextId(link: AgentLink): number {
  do {
    link.lastStreamId = (link.lastStreamId % 0xffff_ffff) + 1;
  } while (link.streams.has(link.lastStreamId));
  return link.lastStreamId;
}
