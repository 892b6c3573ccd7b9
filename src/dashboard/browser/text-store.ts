/**
 * Texts stored in this browser. If it stores nothing for us, they last as long as the page.
 *
 * @module
 */
export interface TextStore {
  /** Null: nothing is stored. */
  read(key: string): string | null;
  /** Null deletes it. */
  write(key: string, text: string | null): void;
}

/** A store on `storage()`, which throws where the browser refuses it. */
export function openTextStore(storage: () => Storage): TextStore {
  const inMemory = new Map<string, string>();
  return {
    read(key) {
      try {
        return storage().getItem(key);
      } catch {
        return inMemory.get(key) ?? null;
      }
    },
    write(key, text) {
      try {
        if (text === null) storage().removeItem(key);
        else storage().setItem(key, text);
      } catch {
        if (text === null) inMemory.delete(key);
        else inMemory.set(key, text);
      }
    },
  };
}

/** A stored text as JSON. Null: there is none, or it is damaged. */
export function parseStored(text: string | null): unknown {
  if (text === null) return null;
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
