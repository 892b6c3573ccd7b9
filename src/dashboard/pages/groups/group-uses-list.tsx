/**
 * The uses of a group, each linked to the page that changes it.
 *
 * @module
 */
import { Link } from "@tanstack/react-router";
import { Badge } from "../../components/badge.tsx";
import type { GroupUse } from "./group-uses.ts";

export function GroupUsesList({ uses }: { readonly uses: readonly GroupUse[] }) {
  return (
    <ul className="flex flex-col divide-y divide-line rounded-lg border border-line bg-card px-4">
      {uses.map((use) => (
        <li
          key={`${use.kind} ${use.id}`}
          className="flex min-h-11 flex-wrap items-center gap-x-3 gap-y-1 py-2"
        >
          <Badge>{use.kind}</Badge>
          <UseLink use={use} />
          <span className="text-soft">{use.how}</span>
        </li>
      ))}
    </ul>
  );
}

function UseLink({ use: { kind, id, name } }: { readonly use: GroupUse }) {
  const look = "min-w-0 font-medium text-accent hover:underline";
  const shown = <bdi>{name}</bdi>;
  if (kind === "policy") {
    return (
      <Link to="/policies/$policyId" params={{ policyId: id }} className={look}>
        {shown}
      </Link>
    );
  }
  if (kind === "group") {
    return (
      <Link to="/groups/$groupId" params={{ groupId: id }} className={look}>
        {shown}
      </Link>
    );
  }
  return (
    <Link to={kind === "settings" ? "/settings" : "/setup-keys"} className={look}>
      {shown}
    </Link>
  );
}
