/**
 * Dialogs that rename or delete a file on the machine, or create a folder there.
 *
 * @module
 */
import { useEffect, useState } from "react";
import type { SftpClient } from "../../../browser-ssh/sftp/sftp-client.ts";
import type { ListedFile } from "../../../browser-ssh/sftp/sftp-messages.ts";
import { ApiError } from "../../api/client.ts";
import { ConfirmDialog, FormDialog } from "../../components/dialog.tsx";
import { TextField } from "../../components/field.tsx";
import { sentence } from "../../terminal/client-calls.ts";
import { isFileName, joinPath } from "../../terminal/file-words.ts";

export type FileChange =
  | { readonly kind: "make" }
  | { readonly kind: "rename" | "delete"; readonly file: ListedFile };

interface FileDialogsProps {
  readonly client: SftpClient;
  /** The folder that is shown. */
  readonly path: string;
  /** Null if no dialog is open. */
  readonly change: FileChange | null;
  onDone(): void;
  onChanged(): void;
}

export function FileDialogs({ client, path, change, onDone, onChanged }: FileDialogsProps) {
  const file = change === null || change.kind === "make" ? null : change.file;
  return (
    <>
      <NameDialog
        open={change?.kind === "make" || change?.kind === "rename"}
        from={file?.name ?? ""}
        onDone={onDone}
        onName={async (name) => {
          const to = joinPath(path, name);
          await said(file === null ? client.makeFolder(to) : client.rename(joinPath(path, file.name), to));
          onChanged();
        }}
      />
      <ConfirmDialog
        open={change?.kind === "delete"}
        onOpenChange={(open) => !open && onDone()}
        title={`Delete ${file?.name ?? ""}?`}
        verb="Delete"
        onConfirm={async () => {
          if (file === null) return;
          const at = joinPath(path, file.name);
          await said(file.kind === "folder" ? client.removeFolder(at) : client.remove(at));
          onChanged();
        }}
      >
        <p>
          {file?.kind === "folder"
            ? "The machine deletes it if nothing is in it."
            : "It is gone from the machine at once, and nothing brings it back."}
        </p>
      </ConfirmDialog>
    </>
  );
}

interface NameDialogProps {
  readonly open: boolean;
  /** The current name; empty for a new folder. */
  readonly from: string;
  onDone(): void;
  onName(name: string): Promise<void>;
}

function NameDialog({ open, from, onDone, onName }: NameDialogProps) {
  const [name, setName] = useState(from);
  useEffect(() => {
    if (open) setName(from);
  }, [open, from]);
  return (
    <FormDialog
      open={open}
      onOpenChange={(is) => !is && onDone()}
      title={from === "" ? "New folder" : `Rename ${from}`}
      submit={from === "" ? "Make" : "Rename"}
      disabled={!isFileName(name) || name === from}
      onSubmit={() => onName(name)}
    >
      <TextField
        label="Name"
        value={name}
        onValue={setName}
        autoCapitalize="off"
        spellCheck={false}
        autoFocus
      />
    </FormDialog>
  );
}

/** Turns a refusal by the machine into an error that a dialog can show. */
async function said(work: Promise<void>): Promise<void> {
  try {
    await work;
  } catch (cause) {
    const text = cause instanceof Error ? cause.message : "the machine refused this";
    throw new ApiError(sentence(text), { status: 0, code: "ERR_REFUSED", hint: null, requestId: null });
  }
}
