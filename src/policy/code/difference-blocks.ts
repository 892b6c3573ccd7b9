/**
 * Blocks of a difference: people grouped by having the same changes on the same machines.
 *
 * @module
 */
import type { PeerId } from "../../wire/units.ts";
import type { DifferenceBlock, LocalUserChange } from "./difference-types.ts";
import type { MachineClasses } from "./machine-classes.ts";
import type { PersonClass } from "./person-classes.ts";

interface OpenBlock {
  /** Bit n is the nth class of machines. */
  readonly set: Uint32Array;
  readonly users: string[];
  readonly changes: readonly LocalUserChange[];
}

/** Collects changes person by person. */
export class BlockMerger {
  readonly #words: number;
  readonly #open = new Map<readonly LocalUserChange[], Uint32Array>();
  readonly #numbers = new Map<readonly LocalUserChange[], number>();
  readonly #blocks = new Map<string, OpenBlock[]>();

  constructor(classCount: number) {
    this.#words = Math.ceil(classCount / 32);
  }

  /** Equal `changes` must be the same object. */
  add(changes: readonly LocalUserChange[], classes: readonly number[]): void {
    if (changes.length === 0) return;
    if (!this.#numbers.has(changes)) this.#numbers.set(changes, this.#numbers.size);
    const set = this.#open.get(changes) ?? new Uint32Array(this.#words);
    for (const index of classes)
      set[index >>> 5] = ((set[index >>> 5] as number) | (1 << (index & 31))) >>> 0;
    this.#open.set(changes, set);
  }

  /** Ends the current person's changes. */
  flush({ users }: PersonClass): void {
    for (const [changes, set] of this.#open) {
      const key = `${this.#numbers.get(changes)}#${hashOf(set)}`;
      const list = this.#blocks.get(key) ?? [];
      const block = list.find((one) => one.set.every((word, i) => word === set[i]));
      if (block === undefined) list.push({ set, users: [...users], changes });
      else block.users.push(...users);
      this.#blocks.set(key, list);
    }
    this.#open.clear();
  }

  /** Everything collected. */
  blocks({ classes }: MachineClasses): DifferenceBlock[] {
    const ids = classes.map(({ machines }) => machines.map(({ id }) => id));
    return [...this.#blocks.values()].flat().map(({ set, users, changes }) => ({
      users: users.sort(),
      machines: listed(set, ids),
      changes,
    }));
  }
}

/** A hash to find candidates for equal sets; equality is checked separately. */
function hashOf(set: Uint32Array): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < set.length; i++) hash = Math.imul(hash ^ (set[i] as number), 0x01000193);
  return hash >>> 0;
}

/** The items of the bits that are set. Most words of most sets are empty. */
function listed(set: Uint32Array, items: readonly (readonly PeerId[])[]): PeerId[] {
  const found: PeerId[] = [];
  for (let i = 0; i < set.length; i++) {
    // Each turn takes the lowest bit.
    for (let word = set[i] as number; word !== 0; word &= word - 1) {
      for (const item of items[32 * i + 31 - Math.clz32(word & -word)] ?? []) found.push(item);
    }
  }
  return found;
}
