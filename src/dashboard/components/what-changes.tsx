/**
 * The changes that saving would make, one line each, shown while editing.
 *
 * @module
 */
import { Note } from "./notice.tsx";

export function WhatChanges({ lines }: { readonly lines: readonly string[] }) {
  return (
    <Note>
      <div role="status">
        {lines.length === 0 ? (
          <p className="text-soft">Nothing is changed yet.</p>
        ) : (
          <>
            <p className="font-medium">Saving changes</p>
            <ul className="mt-1 flex list-disc flex-col gap-0.5 pl-5">
              {lines.map((line) => (
                <li key={line}>
                  <bdi>{line}</bdi>
                </li>
              ))}
            </ul>
          </>
        )}
      </div>
    </Note>
  );
}
