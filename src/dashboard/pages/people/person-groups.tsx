/**
 * The groups of a user, including temporary memberships.
 *
 * @module
 */
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { reading } from "../../api/queries.ts";
import { may, seesAccount, useMe } from "../../app/me.ts";
import { Card } from "../../components/card.tsx";
import { Time } from "../../components/time.tsx";
import { EndMembership, GroupForAWhile } from "./group-for-a-while.tsx";
import type { User } from "./person-words.ts";

export function PersonGroups({ user }: { readonly user: User }) {
  const me = useMe();
  const groups = useQuery({ ...reading("GET /api/groups"), enabled: seesAccount(me) });
  // Shows no ids while the names are loading. Plain users cannot read the names, so they do see ids.
  const nameOf = (id: string): string =>
    groups.isLoading ? "…" : (groups.data?.find((one) => one.id === id)?.name ?? id);
  const standing = user.auto_groups.map((id) => ({ id, until: null, byRequest: false }));
  const ending = (user.auto_groups_until ?? []).map(({ group, until, request }) => ({
    ...{ id: group, until, byRequest: request !== undefined },
  }));
  const all = [...standing, ...ending];
  const canChange = may(me, "users", "update") && (user.role !== "owner" || me.role === "owner");
  return (
    <Card title="Groups" actions={canChange ? <GroupForAWhile user={user} nameOf={nameOf} /> : null}>
      {all.length === 0 ? (
        <p className="text-soft">In no group, so only rules for everybody hold.</p>
      ) : (
        <ul className="-my-1 flex flex-col divide-y divide-line">
          {all.map(({ id, until, byRequest }) => (
            <li key={`${id} ${until ?? ""}`} className="flex min-h-9 items-center justify-between gap-3 py-1">
              <Link
                to="/groups/$groupId"
                params={{ groupId: id }}
                className="min-w-0 font-medium text-accent hover:underline"
              >
                <bdi>{nameOf(id)}</bdi>
              </Link>
              {until === null ? null : (
                <span className="flex items-center gap-2 text-soft text-xs">
                  <span>
                    {byRequest ? "by request, " : ""}ends <Time iso={until} />
                  </span>
                  {byRequest || !canChange ? null : (
                    <EndMembership user={user} groupId={id} until={until} name={nameOf(id)} />
                  )}
                </span>
              )}
            </li>
          ))}
        </ul>
      )}
    </Card>
  );
}
