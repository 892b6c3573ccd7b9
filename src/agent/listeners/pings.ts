/**
 * Answers `qf ping` with the state of this agent, for a device whose hello was accepted and is still allowed.
 *
 * It reads only the one word it knows, and holds few streams, briefly. Shapes: `wire/ping.ts`.
 *
 * @module
 */
import type { Duplex } from "node:stream";
import { VERSION } from "../../base/build-info.ts";
import type { Clock } from "../../base/clock.ts";
import type { Hello } from "../../wire/hello.ts";
import {
  PING_COUNT_MAX,
  PING_IDLE_MS_MAX,
  PING_LINE,
  PING_TOTAL_MS_MAX,
  type PingAnswer,
} from "../../wire/ping.ts";
import type { PeerId } from "../../wire/units.ts";
import type { MapHolder } from "../control-link/map-holder.ts";
import { staleness } from "../control-link/map-holder.ts";

/** Most open streams, in total and for one device. */
const STREAMS_MAX = 256;
const PER_SOURCE_MAX = 8;

export interface PingsOptions {
  /** Checked again before each answer. */
  mayGoOn(hello: Hello): boolean;
  answer(): PingAnswer;
}

export interface Pings {
  accept(stream: Duplex, hello: Hello): void;
  close(): void;
}

export function createPings(options: PingsOptions): Pings {
  const streams = new Map<Duplex, PeerId>();

  function accept(stream: Duplex, hello: Hello): void {
    const ofSource = [...streams.values()].filter((source) => source === hello.source).length;
    stream.on("error", () => {});
    if (streams.size >= STREAMS_MAX || ofSource >= PER_SOURCE_MAX) {
      stream.destroy();
      return;
    }
    streams.set(stream, hello.source);
    let count = 0;
    let matched = 0;
    let idle: ReturnType<typeof setTimeout> | undefined;
    const end = () => stream.destroy();
    const total = setTimeout(end, PING_TOTAL_MS_MAX);
    const say = () => {
      clearTimeout(idle);
      if (count >= PING_COUNT_MAX || !options.mayGoOn(hello)) return end();
      count += 1;
      idle = setTimeout(end, PING_IDLE_MS_MAX);
      stream.write(`${JSON.stringify(options.answer())}\n`);
    };
    stream.on("data", (chunk: Buffer) => {
      for (const byte of chunk) {
        if (stream.destroyed) return;
        if (byte !== PING_LINE.charCodeAt(matched)) return end();
        matched = (matched + 1) % PING_LINE.length;
        if (matched === 0) say();
      }
    });
    stream.on("end", end).on("close", () => {
      clearTimeout(idle);
      clearTimeout(total);
      streams.delete(stream);
    });
    say();
    stream.resume();
  }

  return {
    accept,
    close() {
      for (const stream of [...streams.keys()]) stream.destroy();
    },
  };
}

/** This machine's report about itself. */
export function pingAnswer(about: {
  readonly clock: Clock;
  readonly maps: MapHolder;
  /** Whether management is connected. */
  readonly connected: boolean;
  readonly isServing: boolean;
}): PingAnswer {
  const { clock, maps, connected, isServing } = about;
  const age = maps.ageSeconds();
  return {
    nowMs: clock.nowMs(),
    version: VERSION,
    mapAgeSeconds: Number.isFinite(age) ? Math.max(0, Math.floor(age)) : null,
    connected,
    ssh: !isServing ? "off" : staleness(maps) === 2 ? "map_stale" : "on",
  };
}
