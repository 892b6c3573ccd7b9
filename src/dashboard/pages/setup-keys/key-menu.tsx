/**
 * The actions on one setup key: change its groups, revoke it, delete it.
 *
 * @module
 */
import { Ellipsis } from "lucide-react";
import { useState } from "react";
import { useChange } from "../../api/queries.ts";
import { may, useMe } from "../../app/me.ts";
import { IconButton } from "../../components/button.tsx";
import { ConfirmDialog } from "../../components/dialog.tsx";
import { GroupNamesField, useGroupNames } from "../../components/group-names-field.tsx";
import { MembersDialog } from "../../components/members-dialog.tsx";
import { Menu } from "../../components/menu.tsx";
import { useToast } from "../../components/toasts.tsx";
import type { SetupKey } from "./key-words.ts";

type Asked = "groups" | "revoke" | "delete" | null;

export function KeyMenu({ setupKey }: { readonly setupKey: SetupKey }) {
  const me = useMe();
  const [asked, setAsked] = useState<Asked>(null);
  if (!may(me, "setup_keys", "update")) return null;
  return (
    <>
      <Menu
        trigger={
          <IconButton label={`Actions of ${setupKey.name}`}>
            <Ellipsis size={18} aria-hidden="true" />
          </IconButton>
        }
        actions={[
          { label: "Change its groups", onSelect: () => setAsked("groups") },
          null,
          ...(setupKey.revoked
            ? []
            : [{ label: "Revoke", danger: true, onSelect: () => setAsked("revoke") }]),
          ...(may(me, "setup_keys", "delete")
            ? [{ label: "Delete", danger: true, onSelect: () => setAsked("delete") }]
            : []),
        ]}
      />
      {asked === "groups" ? <ChangeGroups setupKey={setupKey} onClose={() => setAsked(null)} /> : null}
      <Endings setupKey={setupKey} asked={asked} onClose={() => setAsked(null)} />
    </>
  );
}

interface KeyDialogProps {
  readonly setupKey: SetupKey;
  readonly onClose: () => void;
}

function Endings({ setupKey, asked, onClose }: KeyDialogProps & { readonly asked: Asked }) {
  const change = useChange("PUT /api/setup-keys/:keyId");
  const remove = useChange("DELETE /api/setup-keys/:keyId");
  const tell = useToast();
  const { id, name, auto_groups } = setupKey;
  return (
    <>
      <ConfirmDialog
        open={asked === "revoke"}
        onOpenChange={onClose}
        title={`Revoke ${name}?`}
        verb="Revoke"
        onConfirm={async () => {
          await change.mutateAsync({ params: { keyId: id }, body: { revoked: true, auto_groups } });
          tell(`${name} is revoked.`);
        }}
      >
        <p>No machine joins with it any more. Machines that have joined stay. It cannot be taken back.</p>
      </ConfirmDialog>
      <ConfirmDialog
        open={asked === "delete"}
        onOpenChange={onClose}
        title={`Delete ${name}?`}
        verb="Delete"
        onConfirm={async () => {
          await remove.mutateAsync({ params: { keyId: id } });
          tell(`${name} was deleted.`);
        }}
      >
        <p>No machine joins with it any more, and it is not in the list any longer. Machines stay.</p>
      </ConfirmDialog>
    </>
  );
}

function ChangeGroups({ setupKey, onClose }: KeyDialogProps) {
  const change = useChange("PUT /api/setup-keys/:keyId", ["groups"]);
  const nameOf = useGroupNames();
  const { id, name, revoked, auto_groups } = setupKey;
  return (
    <MembersDialog
      title={`Groups of ${name}`}
      about="Machines that join with it from now on are in these. Those that have joined stay where they are."
      draftKey={`qf-key-groups:${id}`}
      before={auto_groups}
      nameOf={nameOf}
      onSave={(now) =>
        change.mutateAsync({ params: { keyId: id }, body: { revoked, auto_groups: [...now] } })
      }
      done={`${name} is saved.`}
      onClose={onClose}
    >
      {(now, onNow) => <GroupNamesField label="Groups" ids={now} onIds={onNow} />}
    </MembersDialog>
  );
}
