/**
 * Intake of the network map from a link: a whole map, a delta, or the message that ours is current. A message
 * has no effect when it does not parse, is not for this machine, or does not yield the map that management
 * means.
 *
 * @module
 */
import type { Log } from "../../base/log.ts";
import type { AgentMessage, ManagementMessage } from "../../wire/agent-sync.ts";
import { differencesFrom, type MapOutline } from "../../wire/map-outline.ts";
import type { MapHolder, MapRefusal } from "./map-holder.ts";

/** Messages of management about the map. */
export type MapMessage = Extract<ManagementMessage, { type: "map" | "delta" | "outline" | "current" }>;

/** The map is in effect or was refused. Either way management has accepted us. */
export interface TakenMap {
  readonly how: "whole" | "delta" | "current";
  /** Why it was refused, for `status`. Null: it was taken. */
  readonly error: string | null;
}

export interface MapIntake {
  /**
   * Takes a message about the map. Null: we have asked or answered management, and more will come; or the
   * link was lost while the map was written to disk, and the next link has to begin anew.
   */
  take(message: MapMessage, isOurs: () => boolean): Promise<TakenMap | null>;
  /** Refuses a map that cannot be parsed. Returns the error for `status`. */
  refuseUnread(cause: unknown): string;
  /** The link is alive. This confirms our map if management holds it to be current. */
  confirm(): void;
  /** The link has ended. */
  reset(): void;
}

/** The error of a link that brought an older map. */
export const OLDER_MAP =
  "management has an older map than this machine, which refuses it: an older copy of its data was put back";

const REFUSALS: Readonly<Record<MapRefusal, string>> = {
  newer_protocol: "management sends a policy of a newer version; update qf on this machine",
  other_account: "management sends the map of another account; it is refused",
  other_peer: "management sends the map of another peer; it is refused",
  older_epoch: OLDER_MAP,
  older_version: OLDER_MAP,
};

interface MapIntakeOptions {
  readonly maps: MapHolder;
  readonly log: Log;
  send(message: AgentMessage): void;
}

/** Creates an intake into `maps`, for one link at a time. */
export function createMapIntake(options: MapIntakeOptions): MapIntake {
  return new LinkMapIntake(options);
}

class LinkMapIntake implements MapIntake {
  readonly #maps: MapHolder;
  readonly #log: Log;
  readonly #send: (message: AgentMessage) => void;
  /**
   * `unsettled`: management has not judged our map yet. `whole-due`: the whole map has been requested.
   * `current`: management holds our map to be current, so its heartbeat confirms it.
   */
  #state: "unsettled" | "whole-due" | "current" = "unsettled";

  constructor({ maps, log, send }: MapIntakeOptions) {
    this.#maps = maps;
    this.#log = log;
    this.#send = send;
  }

  async take(message: MapMessage, isOurs: () => boolean): Promise<TakenMap | null> {
    switch (message.type) {
      case "map": {
        const refusal = await this.#maps.replace(message.map);
        return isOurs() ? this.#took(refusal, "whole") : null;
      }
      case "delta": {
        const isApplied = await this.#maps.apply(message.delta, message.digest);
        if (!isOurs()) return null;
        return isApplied ? this.#took(null, "delta") : this.#needWhole();
      }
      case "outline":
        return this.#compare(message.outline);
      case "current":
        if (this.#maps.position().version !== message.version) return this.#needWhole();
        this.#maps.confirm();
        return this.#took(null, "current");
    }
  }

  refuseUnread(cause: unknown): string {
    // An unknown restriction must not become a grant.
    if (this.#state === "current") this.#state = "unsettled";
    this.#log.error("a map of management cannot be read and is refused", {}, cause);
    return "management sends a map that this version of qf cannot read; update qf on this machine";
  }

  confirm(): void {
    if (this.#state === "current") this.#maps.confirm();
  }

  reset(): void {
    this.#state = "unsettled";
  }

  #took(refusal: MapRefusal | null, how: TakenMap["how"]): TakenMap {
    this.#state = refusal === null ? "current" : "unsettled";
    if (refusal !== null) this.#log.error("a map of management is refused", { refusal });
    else this.#send({ type: "ack", version: this.#maps.position().version });
    return { how, error: refusal === null ? null : REFUSALS[refusal] };
  }

  /** Our map is no basis for an update: asks for the whole map, once. */
  #needWhole(): null {
    if (this.#state !== "whole-due") this.#send({ type: "need_map" });
    this.#state = "whole-due";
    return null;
  }

  /** Answers management's outline with where our map differs. */
  #compare(outline: MapOutline): null {
    const map = this.#maps.snapshot()?.map;
    const differences = map === undefined ? null : differencesFrom(map, outline);
    if (differences === null) return this.#needWhole();
    this.#send({ type: "differences", differences });
    return null;
  }
}
