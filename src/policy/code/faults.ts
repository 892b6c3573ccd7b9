/**
 * Faults found when a policy file's names are looked up, one sentence each.
 *
 * @module
 */
import type { Naming } from "./names.ts";

/** One fault, in one sentence without a full stop, and what to do about it. */
export interface PolicyFault {
  readonly message: string;
  readonly hint?: string;
}

/** Collects faults. */
export interface Faults {
  readonly all: readonly PolicyFault[];
  add(message: string, hint?: string): void;
  /** The id of `name`. If there is none, or several, records a fault and returns undefined. */
  name(naming: Naming, name: string, place: Place): string | undefined;
}

/** Where a name occurs, and the kind of thing it should name. */
export interface Place {
  readonly at: string;
  readonly what: string;
}

/** Longest name in a sentence. */
const SHOWN_MAX = 80;

/** A collector without faults. */
export function newFaults(): Faults {
  const all: PolicyFault[] = [];
  const add = (message: string, hint?: string): void => {
    all.push(hint === undefined ? { message } : { message, hint });
  };
  return {
    all,
    add,
    name(naming, name, { at, what }) {
      const found = naming.find(name);
      if (found.kind === "found") return found.id;
      const shown = JSON.stringify(name.slice(0, SHOWN_MAX));
      const candidates = found.candidates.map((one) => JSON.stringify(one)).join(", ");
      if (found.kind === "ambiguous") {
        add(`${at} names ${shown}, which is more than one ${what}`, `write one of ${candidates}`);
      } else {
        add(
          `${at} names an unknown ${what}, ${shown}`,
          candidates === "" ? undefined : `did you mean ${candidates}?`,
        );
      }
      return undefined;
    },
  };
}
