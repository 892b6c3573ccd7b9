/**
 * The inheritance of an agent that takes over from another.
 *
 * @module
 */
import type { Inheritance, ListenerRole } from "../../wire/handover.ts";

export interface Inherited extends Pick<Inheritance, "bootId" | "startSeconds" | "hellos"> {
  /** The listening socket of this role, once. Undefined: there is none. */
  take(role: ListenerRole): number | undefined;
  /** Closes what was not taken. */
  close(): void;
}
