/**
 * Drafts: typed text that survives a reload and a sign-in in the same tab.
 *
 * @module
 */
import { useCallback, useState } from "react";
import { openTextStore, parseStored } from "./text-store.ts";

/** A draft is read, or written; null deletes it. */
export const { read: readDraft, write: writeDraft } = openTextStore(() => sessionStorage);

/** State that is stored as a draft once it is set. Null: nothing is edited. */
export function useDraft<T>(key: string): readonly [T | null, (value: T | null) => void] {
  const [value, setValue] = useState<T | null>(() => parseStored(readDraft(key)) as T | null);
  const put = useCallback(
    (next: T | null): void => {
      writeDraft(key, next === null ? null : JSON.stringify(next));
      setValue(next);
    },
    [key],
  );
  return [value, put];
}
