/**
 * Placeholders for content that is loading, shown only if that takes noticeably long.
 *
 * @module
 */
import { type ReactNode, useEffect, useState } from "react";

/** Faster answers show no placeholder, so that nothing flickers. */
const QUIET_MS = 300;
const SLOW_MS = 5_000;

function useAfter(ms: number): boolean {
  const [isOver, setIsOver] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setIsOver(true), ms);
    return () => clearTimeout(timer);
  }, [ms]);
  return isOver;
}

/** A list that is loading. */
export function ListSkeleton({ rows = 6 }: { readonly rows?: number }) {
  const shown = useAfter(QUIET_MS);
  const slow = useAfter(SLOW_MS);
  return (
    <div role="status" aria-label="Loading" className="min-h-60">
      {shown ? (
        <div className="rounded-lg border border-line bg-card" aria-hidden="true">
          {Array.from({ length: rows }, (_, index) => (
            <div key={index} className="flex h-10 items-center gap-6 border-line border-b px-4 last:border-0">
              <span className="h-2.5 w-40 rounded-full bg-sunken" />
              <span className="h-2.5 w-24 rounded-full bg-sunken" />
            </div>
          ))}
        </div>
      ) : null}
      {slow ? <p className="mt-3 text-soft">Still loading…</p> : null}
    </div>
  );
}

/** A page that is loading. */
export function PageSkeleton(): ReactNode {
  return <ListSkeleton rows={8} />;
}
