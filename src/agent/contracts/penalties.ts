/**
 * Penalties for sources that keep failing, like sshd's PerSourcePenalties. Each offence adds time, which then
 * passes. A source with enough penalty time is refused before anything of it is read.
 *
 * A source is the device that a hello proved, or else an address (IPv6 by /64), but never the relay's.
 * Offences of an address on the peers' port are kept apart from those on a port for any client. Memory is
 * bounded: when the table is full, the oldest entries are dropped. This decides nothing about who may sign
 * in.
 *
 * @module
 */
import type { Clock } from "../../base/clock.ts";
import type { Log } from "../../base/log.ts";
import { sourceKey } from "../../base/source-key.ts";
import { isInRange } from "../../policy/decide/posture.ts";
import {
  DEFAULT_PENALTIES,
  type Offence,
  type PenaltyRules,
  parsePenalties,
  type SshLimitFlags,
} from "../../wire/ssh-limits.ts";
import type { PeerId } from "../../wire/units.ts";

export interface PenaltySource {
  /** The device that a checked hello proved. If set, the address is ignored. */
  readonly peerId: PeerId | null;
  /**
   * The account on that device whose program it carries, so that one user cannot block others. Absent: the
   * device speaks for itself.
   */
  readonly localUser?: string;
  readonly address: string;
  /** "hello": a hello is expected first. "ssh": SSH from the first byte. */
  readonly port: "hello" | "ssh";
}

export interface PenaltyOptions {
  readonly clock: Clock;
  /** Read each time, so that a change applies at once. Null: penalties are off. */
  rules(): PenaltyRules | null;
  /** Addresses and ranges that are never penalised. */
  exempt(): readonly string[];
  /** Called when a source begins to be refused, with the duration. */
  onRefused?(source: PenaltySource, seconds: number): void;
}

export interface Penalties {
  isRefused(source: PenaltySource): boolean;
  add(source: PenaltySource, offence: Offence): void;
}

interface Owed {
  untilMs: number;
  /** Enough has been added up. The source is refused until all of it has passed. */
  isRefused: boolean;
}

/** Entries checked for an expired one before the oldest is dropped. */
const LOOKED_AT_MAX = 16;

export function createPenalties(options: PenaltyOptions): Penalties {
  const { clock } = options;
  const table = new Map<string, Owed>();

  function makeRoom(sourcesMax: number, nowMs: number): void {
    let looked = 0;
    for (const [key, owed] of table) {
      if (owed.untilMs <= nowMs) table.delete(key);
      if (++looked >= LOOKED_AT_MAX) break;
    }
    for (const key of table.keys()) {
      if (table.size < sourcesMax) return;
      table.delete(key);
    }
  }

  return {
    isRefused(source) {
      if (options.rules() === null) return false;
      const key = keyOf(source);
      const owed = table.get(key);
      if (owed === undefined) return false;
      if (owed.untilMs > clock.monotonicMs()) return owed.isRefused && !isExempt(source, options.exempt());
      table.delete(key);
      return false;
    },
    add(source, offence) {
      const rules = options.rules();
      const seconds = rules?.seconds[offence] ?? 0;
      if (rules === null || seconds === 0 || isExempt(source, options.exempt())) return;
      const key = keyOf(source);
      const nowMs = clock.monotonicMs();
      const entry = table.get(key);
      const before =
        entry !== undefined && entry.untilMs > nowMs ? entry : { untilMs: nowMs, isRefused: false };
      const owedMs = Math.min(before.untilMs - nowMs + seconds * 1000, rules.maxSeconds * 1000);
      const isRefused = before.isRefused || owedMs >= rules.minSeconds * 1000;
      if (entry === undefined && table.size >= rules.sourcesMax) makeRoom(rules.sourcesMax, nowMs);
      table.set(key, { untilMs: nowMs + owedMs, isRefused });
      if (isRefused && !before.isRefused) options.onRefused?.(source, Math.round(owedMs / 1000));
    },
  };
}

/** Penalties by the flags of a running agent, which may change. */
export function agentPenalties(agent: { clock: Clock; log: Log; flags(): SshLimitFlags }): Penalties {
  let entry: { readonly text: string; readonly rules: PenaltyRules | null } | null = null;
  return createPenalties({
    clock: agent.clock,
    exempt: () => agent.flags().sshPerSourcePenaltyExemptList ?? [],
    rules() {
      const text = agent.flags().sshPerSourcePenalties ?? "yes";
      if (entry?.text !== text) entry = { text, rules: rulesOf(text) };
      return entry.rules;
    },
    onRefused: ({ peerId, address }, seconds) =>
      agent.log.warn("a source that keeps failing is refused", {
        ...(peerId === null ? { address } : { peerId }),
        seconds,
      }),
  });
}

/** Invalid text was rejected on input. If it gets here anyway, the defaults are the safe choice. */
function rulesOf(text: string): PenaltyRules | null {
  const rules = parsePenalties(text);
  return rules === undefined ? DEFAULT_PENALTIES : rules;
}

function keyOf({ peerId, localUser, address, port }: PenaltySource): string {
  const place = peerId ?? `${port} ${sourceKey(address)}`;
  return localUser === undefined ? place : `${place}/${localUser}`;
}

function isExempt({ peerId, address }: PenaltySource, ranges: readonly string[]): boolean {
  if (peerId !== null) return false;
  return ranges.some((range) =>
    isInRange(address, range.includes("/") ? range : `${range}/${widthOf(range)}`),
  );
}

function widthOf(address: string): number {
  return address.includes(":") ? 128 : 32;
}
