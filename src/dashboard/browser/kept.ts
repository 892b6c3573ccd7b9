/**
 * Preferences, stored in this browser. If it stores nothing for us, they last as long as the page.
 *
 * @module
 */
const inMemory = new Map<string, string>();

/** Null: nothing is stored. */
export function kept(key: string): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return inMemory.get(key) ?? null;
  }
}

export function keep(key: string, value: string): void {
  try {
    localStorage.setItem(key, value);
  } catch {
    inMemory.set(key, value);
  }
}
