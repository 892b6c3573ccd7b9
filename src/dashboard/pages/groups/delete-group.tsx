/**
 * Deletes a group. A group that is in use is not deleted; the dialog links to each of its uses instead.
 *
 * @module
 */
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { useChange } from "../../api/queries.ts";
import { Button } from "../../components/button.tsx";
import { ConfirmDialog } from "../../components/dialog.tsx";
import { useToast } from "../../components/toasts.tsx";
import type { Group } from "./group-dialog.tsx";
import { requireText } from "./group-require.ts";
import type { GroupUse } from "./group-uses.ts";
import { GroupUsesList } from "./group-uses-list.tsx";

interface DeleteGroupProps {
  readonly group: Pick<Group, "id" | "name" | "peers_count" | "require">;
  readonly people: number;
  readonly uses: readonly GroupUse[];
  readonly size?: "small" | "normal";
  /** Set on the group's own page, which leads back to the list after the deletion. */
  readonly leads?: boolean;
}

export function DeleteGroup({ group, people, uses, size = "small", leads = false }: DeleteGroupProps) {
  const [asks, setAsks] = useState(false);
  const remove = useChange("DELETE /api/groups/:groupId", ["peers", "users"]);
  const tell = useToast();
  const navigate = useNavigate();
  const isUsed = uses.length > 0 || people > 0;
  const run = async (): Promise<void> => {
    await remove.mutateAsync({ params: { groupId: group.id } });
    tell(`${group.name} was deleted.`);
    if (leads) await navigate({ to: "/groups" });
  };
  return (
    <>
      <Button size={size} aria-label={`Delete ${group.name}`} onClick={() => setAsks(true)}>
        Delete
      </Button>
      <ConfirmDialog
        open={asks}
        onOpenChange={setAsks}
        title={isUsed ? `${group.name} is in use` : `Delete ${group.name}?`}
        verb="Delete"
        disabled={isUsed}
        onConfirm={run}
      >
        {isUsed ? (
          <>
            <p>It is deleted once nothing uses it. Take it out here first:</p>
            {uses.length === 0 ? null : <GroupUsesList uses={uses} />}
            {people === 0 ? null : (
              <p>
                {people === 1 ? "One person is" : `${people.toLocaleString("en")} people are`} in it. Take
                them out on its page.
              </p>
            )}
          </>
        ) : (
          <p>{unusedLoss(group)}</p>
        )}
      </ConfirmDialog>
    </>
  );
}

function unusedLoss({ peers_count: peers, require }: DeleteGroupProps["group"]): string {
  const required = requireText(require);
  if (required !== "") return `Logins at its machines no longer require of it: ${required}.`;
  if (peers === 0) return "Nothing is in it, and nothing uses it.";
  const what = peers === 1 ? "One machine or device leaves it" : `${peers} machines and devices leave it`;
  return `${what}. Nothing uses it, so nobody's access changes.`;
}
