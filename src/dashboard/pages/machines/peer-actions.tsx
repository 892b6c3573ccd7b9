/**
 * The actions on one machine or device: buttons, and the dialogs they open.
 *
 * @module
 */
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { type Answer, ApiError } from "../../api/client.ts";
import { useChange } from "../../api/queries.ts";
import { may, useMe } from "../../app/me.ts";
import { Button } from "../../components/button.tsx";
import { ConfirmDialog, FormDialog } from "../../components/dialog.tsx";
import { TextField } from "../../components/field.tsx";
import { Menu, type MenuAction } from "../../components/menu.tsx";
import { useToast } from "../../components/toasts.tsx";

type Peer = Answer<"GET /api/peers/:peerId">;
type Asked = "rename" | "block" | "delete" | null;
type Change = Partial<
  Pick<Peer, "name" | "blocked" | "ssh_enabled" | "approval_required" | "login_expiration_enabled">
>;

export function PeerActions({ peer }: { readonly peer: Peer }) {
  const [asked, setAsked] = useState<Asked>(null);
  const me = useMe();
  const change = useChange("PUT /api/peers/:peerId", ["my", "groups", "policy"]);
  const tell = useToast();
  const put = (part: Change): Promise<unknown> =>
    change.mutateAsync({ params: { peerId: peer.id }, body: { ...bodyOf(peer), ...part } });
  const now = (part: Change, done: string): void =>
    void put(part).then(
      () => tell(`${peer.name} ${done}.`),
      (cause: unknown) => tell(cause instanceof ApiError ? cause.message : "It was not changed."),
    );
  if (!may(me, "peers", "update")) return null;
  const canDelete = may(me, "peers", "delete");
  return (
    <>
      {peer.approval_required ? (
        <Button
          weight="primary"
          busy={change.isPending}
          onClick={() => now({ approval_required: false }, "was approved")}
        >
          Approve
        </Button>
      ) : null}
      <Menu
        trigger={<Button>Actions</Button>}
        actions={[
          { label: "Rename", onSelect: () => setAsked("rename") },
          ...switches(peer, now),
          null,
          peer.blocked === true
            ? { label: "Let in again", onSelect: () => now({ blocked: false }, "is let in again") }
            : { label: "Block", danger: true, onSelect: () => setAsked("block") },
          ...(canDelete ? [{ label: "Remove", danger: true, onSelect: () => setAsked("delete") }] : []),
        ]}
      />
      <Dialogs peer={peer} asked={asked} onClose={() => setAsked(null)} put={put} />
    </>
  );
}

/** Actions that turn a setting of the peer on or off. */
function switches(peer: Peer, now: (part: Change, done: string) => void): readonly MenuAction[] {
  const { kind, ssh_enabled, login_expiration_enabled } = peer;
  if (kind === "device") {
    return [
      {
        label: login_expiration_enabled ? "Let its sign-in never expire" : "Let its sign-in expire",
        onSelect: () =>
          now(
            { login_expiration_enabled: !login_expiration_enabled },
            login_expiration_enabled ? "stays signed in" : "has to sign in again from time to time",
          ),
      },
    ];
  }
  return [
    {
      label: ssh_enabled ? "Switch its SSH server off" : "Switch its SSH server on",
      onSelect: () =>
        now({ ssh_enabled: !ssh_enabled }, ssh_enabled ? "takes no SSH any more" : "takes SSH again"),
    },
  ];
}

interface DialogsProps {
  readonly peer: Peer;
  readonly asked: Asked;
  readonly onClose: () => void;
  readonly put: (part: Change) => Promise<unknown>;
}

function Dialogs({ peer, asked, onClose, put }: DialogsProps) {
  const remove = useChange("DELETE /api/peers/:peerId", ["my", "groups", "policy"]);
  const tell = useToast();
  const navigate = useNavigate();
  const isDevice = peer.kind === "device";
  const removePeer = async (): Promise<void> => {
    await remove.mutateAsync({ params: { peerId: peer.id } });
    tell(`${peer.name} was removed.`);
    await navigate({ to: isDevice ? "/devices" : "/machines" });
  };
  return (
    <>
      {asked === "rename" ? <Rename peer={peer} onClose={onClose} put={put} /> : null}
      <ConfirmDialog
        open={asked === "block"}
        onOpenChange={onClose}
        title={`Block ${peer.name}?`}
        verb="Block"
        onConfirm={() => put({ blocked: true })}
      >
        <p>
          {isDevice
            ? "Every connection from it ends now, and its logins with it. Its person keeps other devices."
            : "Nobody reaches it any more, and it reaches nobody. Every connection to it ends now."}
        </p>
      </ConfirmDialog>
      <ConfirmDialog
        open={asked === "delete"}
        onOpenChange={onClose}
        title={`Remove ${peer.name}?`}
        verb="Remove"
        onConfirm={removePeer}
      >
        <p>
          It leaves the network, and every connection {isDevice ? "from" : "to"} it ends now. It can join
          again {isDevice ? "by a sign-in" : "with a setup key"}.
        </p>
      </ConfirmDialog>
    </>
  );
}

function Rename({ peer, onClose, put }: Omit<DialogsProps, "asked">) {
  const [name, setName] = useState(peer.name);
  const [problem, setProblem] = useState<string | null>(null);
  const save = async (): Promise<void> => {
    setProblem(null);
    try {
      await put({ name: name.trim() });
    } catch (cause) {
      if (cause instanceof ApiError && cause.status === 422) setProblem(cause.message);
      throw cause;
    }
  };
  return (
    <FormDialog
      open
      onOpenChange={onClose}
      title={`Rename ${peer.name}`}
      submit="Rename"
      disabled={name.trim() === "" || name.trim() === peer.name}
      onSubmit={save}
    >
      <TextField label="Name" value={name} onValue={setName} maxLength={256} problem={problem} autoFocus />
    </FormDialog>
  );
}

/** The fields that an update repeats unchanged. */
function bodyOf(peer: Peer) {
  const { name, ssh_enabled, login_expiration_enabled, inactivity_expiration_enabled } = peer;
  return { name, ssh_enabled, login_expiration_enabled, inactivity_expiration_enabled };
}
