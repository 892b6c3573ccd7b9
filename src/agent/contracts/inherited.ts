/**
 * Sockets that an agent inherits from the one it takes over from.
 *
 * @module
 */
import type { Inheritance, ListenerRole } from "../../wire/handover.ts";

export interface Inherited extends Pick<Inheritance, "bootId" | "startSeconds" | "hellos"> {
  /** Takes the listening socket of this role, at most once. Undefined: there is none. */
  take(role: ListenerRole): number | undefined;
  /** Closes the sockets that were not taken. */
  close(): void;
}
