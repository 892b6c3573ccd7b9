/**
 * Names as badges: the first few, and a count of the rest.
 *
 * @module
 */
import { Badge } from "./badge.tsx";

interface BadgeListProps {
  readonly names: readonly string[];
  readonly shown?: number;
}

export function BadgeList({ names, shown = 3 }: BadgeListProps) {
  const rest = names.slice(shown);
  if (names.length === 0) return null;
  return (
    <span className="flex min-w-0 flex-wrap gap-1">
      {names.slice(0, shown).map((name) => (
        <span key={name} title={name} className="inline-flex min-w-0 max-w-full sm:max-w-56">
          <Badge>
            <bdi>{name}</bdi>
          </Badge>
        </span>
      ))}
      {rest.length === 0 ? null : (
        <span title={rest.join(", ")}>
          <Badge>+{rest.length}</Badge>
        </span>
      )}
    </span>
  );
}
