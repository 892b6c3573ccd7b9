/**
 * The header of a page: its title, a line about it, and its actions.
 *
 * @module
 */
import { type ReactNode, useEffect } from "react";

interface PageHeaderProps {
  readonly title: string;
  readonly about?: ReactNode;
  readonly actions?: ReactNode;
}

export function PageHeader({ title, about, actions }: PageHeaderProps) {
  useEffect(() => {
    document.title = `${title} - QuFabric`;
  }, [title]);
  return (
    <header className="mb-5 flex flex-wrap items-start justify-between gap-x-6 gap-y-3">
      <div className="min-w-0 sm:flex-1 sm:basis-80">
        <h1 className="font-semibold text-xl">{breakable(title)}</h1>
        {about === undefined ? null : <p className="mt-1 max-w-2xl text-pretty text-soft">{about}</p>}
      </div>
      {actions === undefined ? null : <div className="flex flex-wrap gap-2">{actions}</div>}
    </header>
  );
}

/** Lets a long email address break after its @. */
function breakable(title: string): ReactNode {
  const at = title.indexOf("@") + 1;
  if (at === 0) return title;
  return (
    <>
      {title.slice(0, at)}
      <wbr />
      {title.slice(at)}
    </>
  );
}
