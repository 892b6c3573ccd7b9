/**
 * The reason for which this page changes policies that are kept elsewhere. It ends with the page.
 *
 * @module
 */
import { useSyncExternalStore } from "react";

let reason: string | null = null;
const listeners = new Set<() => void>();

/** Null: the pages show these policies without changing them. */
export function overrideReason(): string | null {
  return reason;
}

export function setOverrideReason(next: string | null): void {
  reason = next;
  for (const listener of listeners) listener();
}

export function useOverrideReason(): string | null {
  return useSyncExternalStore(subscribe, overrideReason);
}

/** What an apply says besides its file. */
export function overrideFields(): { readonly override?: true; readonly reason?: string } {
  return reason === null ? {} : { override: true, reason };
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
