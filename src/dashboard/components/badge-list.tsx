/**
 * Names as badges, as many as there is room for, and how many more there are.
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
    <span className="flex flex-wrap gap-1">
      {names.slice(0, shown).map((name) => (
        <Badge key={name}>
          <bdi title={name}>{name}</bdi>
        </Badge>
      ))}
      {rest.length === 0 ? null : (
        <span title={rest.join(", ")}>
          <Badge>+{rest.length}</Badge>
        </span>
      )}
    </span>
  );
}
