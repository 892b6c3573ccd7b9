/**
 * The closed list of commands: nouns and verbs, what each is for, and where it is loaded from.
 *
 * A command's module, and with it its role, is loaded only when chosen.
 *
 * @module
 */
import type { Command } from "./command.ts";

export interface Verb {
  /** One line, as it stands in lists; the first line of the command's own help says the same at length. */
  readonly purpose: string;
  readonly load: () => Promise<Command>;
}

export interface Noun {
  /** A paragraph on what it is. */
  readonly about: string;
  readonly verbs: Readonly<Record<string, Verb>>;
}

/** Commands of one word. */
export const SINGLE: Readonly<Record<string, Verb>> = {
  login: {
    purpose: "sign in on this device and register it",
    load: async () => (await import("./login.ts")).login,
  },
  logout: {
    purpose: "end the kept login",
    load: async () => (await import("./logout.ts")).logout,
  },
  whoami: {
    purpose: "say who is signed in on this device",
    load: async () => (await import("./whoami.ts")).whoami,
  },
  version: {
    purpose: "say which build this is",
    load: async () => (await import("./version.ts")).version,
  },
};

export const NOUNS: Readonly<Record<string, Noun>> = {};

/** Short for another command, so that tutorials work with the name swapped. */
export const SHORT: Readonly<Record<string, readonly string[]>> = {
  up: ["agent", "up"],
  down: ["agent", "down"],
  status: ["agent", "status"],
};
