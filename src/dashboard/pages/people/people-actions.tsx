/**
 * Actions on one or more people, as far as the user's role allows.
 *
 * @module
 */
import { useChange } from "../../api/queries.ts";
import { may, useMe } from "../../app/me.ts";
import type { BulkAction } from "../../components/bulk-bar.tsx";
import type { User } from "./person-words.ts";

type Part = Partial<
  Pick<User, "role" | "auto_groups" | "auto_groups_until" | "is_blocked" | "pending_approval">
>;

/** Updates the given fields of a user and sends the others unchanged. */
export function usePutPerson(): (user: User, part: Part) => Promise<unknown> {
  const change = useChange("PUT /api/users/:userId", ["my", "groups", "policy"]);
  return ({ id, role, auto_groups, is_blocked }, part) =>
    change.mutateAsync({ params: { userId: id }, body: { role, auto_groups, is_blocked, ...part } });
}

/** The update that lets a blocked or unapproved user in. */
export function lettingIn({ pending_approval }: Pick<User, "pending_approval">): Part {
  return pending_approval ? { pending_approval: false } : { is_blocked: false };
}

export const BLOCK_LOSS =
  "Every connection of theirs ends now, and so do their logins and dashboard sessions.";
export const DELETE_LOSS =
  "Every connection of theirs ends now. Their devices leave the network, and their tokens open nothing any more.";

export function usePeopleActions(): readonly BulkAction<User>[] {
  const me = useMe();
  const put = usePutPerson();
  const remove = useChange("DELETE /api/users/:userId", ["my", "groups", "peers", "policy"]);
  const canTouch = (user: User): boolean =>
    !user.is_current && (user.role !== "owner" || me.role === "owner");
  const actions: readonly (BulkAction<User> | null)[] = [
    {
      label: "Let in",
      done: "let in",
      applies: (user) => canTouch(user) && (user.pending_approval || user.is_blocked),
      run: (user) => put(user, lettingIn(user)),
    },
    {
      label: "Block",
      done: "shut out",
      loss: BLOCK_LOSS,
      applies: (user) => canTouch(user) && !user.is_blocked,
      run: (user) => put(user, { is_blocked: true }),
    },
    may(me, "users", "delete")
      ? {
          label: "Delete",
          done: "deleted",
          loss: DELETE_LOSS,
          applies: canTouch,
          run: ({ id }) => remove.mutateAsync({ params: { userId: id } }),
        }
      : null,
  ];
  return may(me, "users", "update") ? actions.filter((action) => action !== null) : [];
}
