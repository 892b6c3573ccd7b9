/**
 * A bar of parts of a whole. It is hidden from screen readers, because the page gives the same figures in
 * words.
 *
 * @module
 */
export interface Share {
  readonly name: string;
  readonly count: number;
  /** Class of its colour. */
  readonly ground: string;
}

export function ShareBar({ shares }: { readonly shares: readonly Share[] }) {
  return (
    <div aria-hidden="true" className="mb-3 flex h-2.5 gap-0.5 overflow-hidden rounded-full bg-sunken">
      {shares
        .filter(({ count }) => count > 0)
        .map(({ name, count, ground }) => (
          <span key={name} className={ground} style={{ flexGrow: count, flexBasis: 0 }} />
        ))}
    </div>
  );
}
