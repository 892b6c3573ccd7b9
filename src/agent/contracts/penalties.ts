/**
 * Sources that keep failing have to wait, as with sshd's PerSourcePenalties: each offence adds time, time
 * takes it away again, and a source that owes enough is refused before anything of it is read.
 *
 * A source is the device that a hello proved, else an address (IPv6 by /64); never the relay's address.
 * What an address did at the port of peers is kept apart from what it did where any client may speak.
 * Memory is bounded: when the table is full the oldest entries go. Decides nothing about who may enter.
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
  /** The device a checked hello proved; then the address counts for nothing. */
  readonly peerId: PeerId | null;
  /** The account there whose program it carries: one must not make others wait. Absent: it speaks itself. */
  readonly localUser?: string;
  readonly address: string;
  /** Whether it is to say hello first, or speaks SSH from its first byte. */
  readonly port: "hello" | "ssh";
}

export interface PenaltyOptions {
  readonly clock: Clock;
  /** Read anew each time, so that a change counts at once. Null: nobody is punished. */
  rules(): PenaltyRules | null;
  /** Addresses and ranges that are never punished. */
  exempt(): readonly string[];
  /** Told when a source begins to be refused, and for how long. */
  onRefused?(source: PenaltySource, seconds: number): void;
}

export interface Penalties {
  isRefused(source: PenaltySource): boolean;
  add(source: PenaltySource, offence: Offence): void;
}

interface Owed {
  untilMs: number;
  /** Enough was added up; refused until all of it is over. */
  isRefused: boolean;
}

/** Entries looked at for one that is over before the oldest goes. */
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

/** Penalties by the flags of a running agent, in force as they change. */
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

/** What does not read was refused on its way in; if it ever is not, the defaults are the safe side. */
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
