/**
 * Catching up of an agent that comes back with an older map: whether a delta leads from there to the present
 * map, and the question to the agent about what it has. `wire/map-outline.ts` says how the two find out what
 * differs.
 *
 * @module
 */
import type { ManagementMessage } from "../../wire/agent-sync.ts";
import { digestOfMap } from "../../wire/map-digest.ts";
import {
  type MapDifferences,
  type MapOutline,
  type MapSections,
  outlineFor,
} from "../../wire/map-outline.ts";
import type { NetworkMap } from "../../wire/network-map.ts";
import type { PeerId } from "../../wire/units.ts";
import type { HeldMap } from "../maps/encode.ts";
import type { KeyedSemaphore } from "./keyed-semaphore.ts";

/** How long an agent may take to answer before it gets the whole map; it is less than its own patience. */
const ANSWER_MS_MAX = 8_000;

/** Of an agent's map, as the agent says. `digest` or `sections` absent: one that does not say. */
export interface Position {
  readonly epoch: number;
  readonly version: number;
  readonly digest?: string | undefined;
  readonly sections?: MapSections | undefined;
  /** What we gave it under this number said something else: nothing is built on it. */
  readonly isForeign?: boolean;
}

export interface CatchUp {
  /** Finds out what the agent lacks. Null: the whole map has to be sent. */
  ask(map: NetworkMap): Promise<{ held: HeldMap; differences: MapDifferences } | null>;
  /** What the agent has answered; null: it wants the whole map, or is gone. */
  answer(differences: MapDifferences | null): void;
}

export interface CatchUpOptions {
  readonly peerId: PeerId;
  readonly position: Position;
  /** How many agents may be asked at once: bounds the outlines and maps that are kept for their answers. */
  readonly asking: KeyedSemaphore;
  send(message: ManagementMessage): void;
  /** The agent is asked: it has its turn, however long it takes to answer. */
  onAsked(): void;
}

export function createCatchUp(options: CatchUpOptions): CatchUp {
  const { position, send } = options;
  let isRefused = false;
  let answered = (_: MapDifferences | null): void => {};

  async function answerTo(outline: MapOutline): Promise<MapDifferences | null> {
    const leave = await options.asking.enter(options.peerId);
    if (leave === null) return null;
    try {
      if (isRefused) return null;
      return await new Promise<MapDifferences | null>((resolve) => {
        const timer = setTimeout(() => resolve(null), ANSWER_MS_MAX);
        answered = (differences) => {
          clearTimeout(timer);
          resolve(differences);
        };
        send({ type: "outline", outline });
        options.onAsked();
      });
    } finally {
      leave();
    }
  }

  return {
    async ask(map) {
      const { version, sections } = position;
      if (sections === undefined || !mayFollow(position, map)) return null;
      const outline = outlineFor(sections, map);
      if (outline === null) return null;
      const differences = Object.keys(outline).length === 0 ? {} : await answerTo(outline);
      return differences === null ? null : { held: { version, sections }, differences };
    },
    answer(differences) {
      isRefused ||= differences === null;
      answered(differences);
    },
  };
}

/** Whether `map` is what the agent has: a number may stand for two since a backup was put back. */
export function isMapAt(map: NetworkMap, { epoch, version, digest }: Position): boolean {
  return epoch === map.epoch && version === map.version && digest === digestOfMap(map);
}

/** Whether the agent has a newer map than there is. */
export function isAhead({ epoch, version }: Position, map: NetworkMap): boolean {
  return epoch > map.epoch || (epoch === map.epoch && version > map.version);
}

/** An older map of the same epoch, and none that we know to be another's. */
function mayFollow({ epoch, version, isForeign = false }: Position, map: NetworkMap): boolean {
  return !isForeign && epoch === map.epoch && version > 0 && version < map.version;
}
