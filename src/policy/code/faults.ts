/**
 * Faults of a policy file that are found when its names are looked up, one sentence each.
 *
 * @module
 */
import type { Naming } from "./names.ts";

/** One fault, in one sentence without a full stop, and what to do about it. */
export interface PolicyFault {
  readonly message: string;
  readonly hint?: string;
}

/** Faults as they are found. */
export interface Faults {
  readonly all: readonly PolicyFault[];
  add(message: string, hint?: string): void;
  /** The id of `name`. Undefined: there is none, or several, and that is a fault now. */
  name(naming: Naming, name: string, place: Place): string | undefined;
}

/** Where a name stands, and what it should be the name of. */
export interface Place {
  readonly at: string;
  readonly what: string;
}

/** Longest name in a sentence. */
const SHOWN_MAX = 80;

/** No faults yet. */
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
