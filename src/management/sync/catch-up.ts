/**
 * Catch-up of an agent that reconnects with an older map: whether a delta from there leads to the current
 * map, and the question to the agent about what it has. `wire/map-outline.ts` describes how they find the
 * differences.
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

/** How long an agent may take to answer before it gets the whole map. Less than the agent itself waits. */
const ANSWER_MS_MAX = 8_000;

/** Position of an agent's map, as the agent reports it. `digest` or `sections` absent: not reported. */
export interface Position {
  readonly epoch: number;
  readonly version: number;
  readonly digest?: string | undefined;
  readonly sections?: MapSections | undefined;
  /** The map we sent under this version had another content, so no delta starts from it. */
  readonly isForeign?: boolean;
}

export interface CatchUp {
  /** Finds out what the agent lacks. Null: the whole map must be sent. */
  ask(map: NetworkMap): Promise<{ held: HeldMap; differences: MapDifferences } | null>;
  /** Passes on the agent's answer. Null: it wants the whole map, or is gone. */
  answer(differences: MapDifferences | null): void;
}

export interface CatchUpOptions {
  readonly peerId: PeerId;
  readonly position: Position;
  /** Bounds how many agents are asked at once, and so the outlines and maps held for their answers. */
  readonly asking: KeyedSemaphore;
  send(message: ManagementMessage): void;
  /** Called when the agent was asked: its handshake place is free, however long it takes to answer. */
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

/**
 * Whether the agent has `map`. After a restored backup one version may stand for two maps, so the digest
 * counts.
 */
export function isMapAt(map: NetworkMap, { epoch, version, digest }: Position): boolean {
  return epoch === map.epoch && version === map.version && digest === digestOfMap(map);
}

/** Whether the agent has a newer map than management. */
export function isAhead({ epoch, version }: Position, map: NetworkMap): boolean {
  return epoch > map.epoch || (epoch === map.epoch && version > map.version);
}

/** Whether the position is an older map of the same epoch, with the content that we sent. */
function mayFollow({ epoch, version, isForeign = false }: Position, map: NetworkMap): boolean {
  return !isForeign && epoch === map.epoch && version > 0 && version < map.version;
}
