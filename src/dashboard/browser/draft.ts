/**
 * Drafts: typed text that survives a reload and a sign-in in the same tab. If the browser stores nothing for
 * us, drafts live as long as the page.
 *
 * @module
 */
import { useCallback, useState } from "react";

const inMemory = new Map<string, string>();

/** Reads a draft. Null: there is none. */
export function readDraft(key: string): string | null {
  try {
    return sessionStorage.getItem(key);
  } catch {
    return inMemory.get(key) ?? null;
  }
}

/** Writes a draft. Null deletes it. */
export function writeDraft(key: string, text: string | null): void {
  try {
    if (text === null) sessionStorage.removeItem(key);
    else sessionStorage.setItem(key, text);
  } catch {
    if (text === null) inMemory.delete(key);
    else inMemory.set(key, text);
  }
}

/** State that is stored as a draft once it is set. Null: nothing is edited. */
export function useDraft<T>(key: string): readonly [T | null, (value: T | null) => void] {
  const [value, setValue] = useState<T | null>(() => parsed(readDraft(key)) as T | null);
  const put = useCallback(
    (next: T | null): void => {
      writeDraft(key, next === null ? null : JSON.stringify(next));
      setValue(next);
    },
    [key],
  );
  return [value, put];
}

function parsed(text: string | null): unknown {
  if (text === null) return null;
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
