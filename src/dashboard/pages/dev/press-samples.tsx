/**
 * Sample buttons and menus, and the dialogs they open.
 *
 * @module
 */
import { Ellipsis } from "lucide-react";
import { type ReactNode, useState } from "react";
import { Button, ButtonLink, type ButtonWeight, IconButton } from "../../components/button.tsx";
import { CopyButton, CopyLine } from "../../components/copy-button.tsx";
import { ConfirmDialog, FormDialog } from "../../components/dialog.tsx";
import { TextField } from "../../components/field.tsx";
import { FreshSignIn } from "../../components/fresh-sign-in.tsx";
import { FreshSignInNote } from "../../components/fresh-sign-in-note.tsx";
import { MembersDialog } from "../../components/members-dialog.tsx";
import { Menu } from "../../components/menu.tsx";
import { OnceDialog } from "../../components/once-dialog.tsx";
import { PutIntoGroups } from "../../components/put-into-groups.tsx";
import { useToast } from "../../components/toasts.tsx";

const WEIGHTS: readonly ButtonWeight[] = ["primary", "secondary", "quiet", "danger"];
const LINE = "qf login --management-url https://qf.example.com";

export function ButtonSamples() {
  return (
    <>
      {(["normal", "small"] as const).map((size) => (
        <Row key={size}>
          {WEIGHTS.map((weight) => (
            <Button key={weight} weight={weight} size={size}>
              {weight}
            </Button>
          ))}
          <Button size={size} disabled>
            disabled
          </Button>
          <Button size={size} busy>
            busy
          </Button>
        </Row>
      ))}
      <Row>
        <ButtonLink to="/">A link</ButtonLink>
        <IconButton label="An icon">
          <Ellipsis size={18} aria-hidden="true" />
        </IconButton>
        <CopyButton text={LINE} />
      </Row>
      <CopyLine label="Copy the line" text={LINE} />
    </>
  );
}

type Opened = "form" | "failing" | "confirm" | "members" | "fresh" | null;

export function DialogSamples() {
  const [opened, setOpened] = useState<Opened>(null);
  const [once, setOnce] = useState<string | null>(null);
  const tell = useToast();
  const close = (): void => setOpened(null);
  return (
    <>
      <Row>
        <Button onClick={() => setOpened("form")}>Form</Button>
        <Button onClick={() => setOpened("failing")}>Form that fails</Button>
        <Button onClick={() => setOpened("confirm")}>Question</Button>
        <Button onClick={() => setOpened("members")}>Members</Button>
        <Button onClick={() => setOpened("fresh")}>Fresh sign-in</Button>
        <Button onClick={() => setOnce("qfs_0123456789")}>Shown once</Button>
        <PutIntoGroups count={2} what="machines" onApply={async () => {}} />
      </Row>
      <Row>
        <Menu
          trigger={<Button>Menu</Button>}
          actions={[
            { label: "Edit", onSelect: () => {} },
            { label: "Not now", onSelect: () => {}, disabled: true },
            null,
            { label: "Delete", onSelect: () => {}, danger: true },
          ]}
        />
        <Button onClick={() => tell("It is saved.")}>News</Button>
        <Button onClick={() => tell("It is gone.", () => {})}>News with a way back</Button>
      </Row>
      <FreshSignInNote confirm="none" verb="Save" />
      <SampleForm open={opened === "form"} fails={false} onClose={close} />
      <SampleForm open={opened === "failing"} fails onClose={close} />
      <ConfirmDialog
        open={opened === "confirm"}
        onOpenChange={close}
        title="Delete it?"
        verb="Delete"
        onConfirm={async () => {}}
      >
        <p>What it allowed ends now.</p>
      </ConfirmDialog>
      {opened === "members" ? <SampleMembers onClose={close} /> : null}
      <FreshSignIn open={opened === "fresh"} onOpenChange={close} what="this" to="/dev/components" />
      <OnceDialog
        text={once}
        onClose={() => setOnce(null)}
        title="Copy the key now"
        about="It is not shown again."
        copy="Copy the key"
      />
    </>
  );
}

interface SampleFormProps {
  readonly open: boolean;
  readonly fails: boolean;
  readonly onClose: () => void;
}

function SampleForm({ open, fails, onClose }: SampleFormProps) {
  const [name, setName] = useState("");
  const submit = async (): Promise<void> => {
    if (fails) throw new Error("no");
  };
  return (
    <FormDialog
      open={open}
      onOpenChange={onClose}
      title="A form"
      about="About it."
      submit="Save"
      onSubmit={submit}
    >
      <TextField label="Name" value={name} onValue={setName} autoFocus />
    </FormDialog>
  );
}

function SampleMembers({ onClose }: { readonly onClose: () => void }) {
  return (
    <MembersDialog
      title="Members"
      draftKey="qf-sample"
      before={["ada"]}
      nameOf={(id) => id}
      onSave={async () => {}}
      done="It is saved."
      onClose={onClose}
    >
      {(now, onNow) => <Button onClick={() => onNow([...now, "grace"])}>Add grace</Button>}
    </MembersDialog>
  );
}

function Row({ children }: { readonly children: ReactNode }) {
  return <div className="flex flex-wrap items-center gap-2">{children}</div>;
}
