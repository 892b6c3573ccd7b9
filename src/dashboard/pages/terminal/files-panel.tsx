/**
 * The machine's files beside the terminal, by SFTP over the same connection: list, upload, download, rename,
 * delete.
 *
 * @module
 */
import { CornerLeftUp, FolderPlus, Upload } from "lucide-react";
import { type DragEvent, useEffect, useRef, useState } from "react";
import type { SshConnection } from "../../../browser-ssh/connection.ts";
import type { ListedFile } from "../../../browser-ssh/sftp/sftp-messages.ts";
import { Button, IconButton } from "../../components/button.tsx";
import { classes } from "../../components/class-names.ts";
import { ConfirmDialog } from "../../components/dialog.tsx";
import { FileTransfers, type Transfer } from "../../terminal/file-transfers.ts";
import { joinPath, parentOf } from "../../terminal/file-words.ts";
import { type FileChange, FileDialogs } from "./file-dialogs.tsx";
import { FileList } from "./file-list.tsx";
import { TransferList } from "./transfer-list.tsx";
import { type Folder, useFolder } from "./use-folder.tsx";

interface FilesPanelProps {
  readonly connection: SshConnection;
  readonly isOver: boolean;
}

export function FilesPanel({ connection, isOver }: FilesPanelProps) {
  const folder = useFolder(connection);
  const [change, setChange] = useState<FileChange | null>(null);
  const [isOverDrop, setIsOverDrop] = useState(false);
  const moved = useTransfers(folder);
  const { client, path, files, problem } = folder;
  const onDrop = (event: DragEvent): void => {
    event.preventDefault();
    setIsOverDrop(false);
    if (!isOver) void moved.put([...event.dataTransfer.files], false);
  };
  return (
    <section
      aria-label="Files"
      onDragOver={(event) => {
        event.preventDefault();
        setIsOverDrop(true);
      }}
      onDragLeave={() => setIsOverDrop(false)}
      onDrop={onDrop}
      className={classes(
        "flex w-96 shrink-0 flex-col rounded-md border bg-card max-lg:w-80 max-md:h-1/2 max-md:w-full",
        isOverDrop ? "border-accent" : "border-line",
      )}
    >
      <PathForm path={path} onGo={folder.go} />
      <Problem text={problem} />
      <FileList
        files={files}
        onOpen={(file) => void moved.open(file)}
        onDownload={moved.get}
        onChange={isOver ? null : setChange}
      />
      <TransferList transfers={moved.transfers} onCancel={moved.cancel} />
      <UploadBar
        isDisabled={client === null || isOver}
        onFiles={(chosen) => void moved.put(chosen, false)}
        onNewFolder={() => setChange({ kind: "make" })}
      />
      {client === null ? null : (
        <FileDialogs {...{ client, path, change }} onDone={() => setChange(null)} onChanged={folder.reload} />
      )}
      <AskReplace
        names={moved.asking.map(({ name }) => name)}
        onDone={moved.asked}
        onReplace={() => void moved.put(moved.asking, true)}
      />
    </section>
  );
}

/** Transfers to and from the folder. */
function useTransfers(folder: Folder) {
  const { client, path, files } = folder;
  const [transfers, setTransfers] = useState<readonly Transfer[]>([]);
  const [asking, setAsking] = useState<readonly File[]>([]);
  const work = useRef<FileTransfers | null>(null);
  if (client !== null && work.current?.client !== client)
    work.current = new FileTransfers(client, setTransfers);
  const get = (file: ListedFile): void => void work.current?.get(joinPath(path, file.name), file.name);
  return {
    transfers,
    /** Files that would replace existing ones. */
    asking,
    asked: () => setAsking([]),
    get,
    cancel: (id: number) => work.current?.cancel(id),
    /** Shows a folder and downloads a file. A link counts as what it leads to. */
    async open(file: ListedFile): Promise<void> {
      const at = joinPath(path, file.name);
      const leadsTo = file.kind === "link" ? await client?.stat(at).catch(() => null) : file;
      if (leadsTo?.kind === "file") get(file);
      else folder.go(at);
    },
    async put(chosen: readonly File[], replace: boolean): Promise<void> {
      const there = new Set((files ?? []).map(({ name }) => name));
      const isKnown = ({ name }: File): boolean => !replace && there.has(name);
      const known = chosen.filter(isKnown);
      if (known.length > 0) setAsking(known);
      const fresh = chosen.filter((file) => !isKnown(file));
      await Promise.all(fresh.map((file) => work.current?.put(file, path, replace)));
      folder.reload();
    },
  };
}

function Problem({ text }: { readonly text: string | null }) {
  if (text === null) return null;
  return (
    <p role="alert" className="mx-3 mb-2 text-bad text-sm">
      {text}
    </p>
  );
}

interface AskReplaceProps {
  /** Empty if nothing is asked. */
  readonly names: readonly string[];
  onDone(): void;
  onReplace(): void;
}

function AskReplace({ names, onDone, onReplace }: AskReplaceProps) {
  return (
    <ConfirmDialog
      open={names.length > 0}
      onOpenChange={(open) => !open && onDone()}
      title="Replace what is there?"
      verb="Replace"
      onConfirm={async () => onReplace()}
    >
      <p>{names.join(", ")}</p>
    </ConfirmDialog>
  );
}

interface UploadBarProps {
  readonly isDisabled: boolean;
  onFiles(files: readonly File[]): void;
  onNewFolder(): void;
}

function UploadBar({ isDisabled, onFiles, onNewFolder }: UploadBarProps) {
  const input = useRef<HTMLInputElement>(null);
  return (
    <div className="flex items-center gap-2 border-line border-t p-2">
      <Button size="small" disabled={isDisabled} onClick={() => input.current?.click()}>
        <Upload size={16} aria-hidden="true" />
        Upload
      </Button>
      <span className="mr-auto text-soft text-xs">or drop files here</span>
      <IconButton label="New folder" disabled={isDisabled} onClick={onNewFolder}>
        <FolderPlus size={16} aria-hidden="true" />
      </IconButton>
      <input
        ref={input}
        type="file"
        multiple
        hidden
        aria-label="Files to upload"
        onChange={(event) => {
          const chosen = [...(event.target.files ?? [])];
          event.target.value = "";
          onFiles(chosen);
        }}
      />
    </div>
  );
}

function PathForm({ path, onGo }: { readonly path: string; onGo(path: string): void }) {
  const [typed, setTyped] = useState(path);
  useEffect(() => setTyped(path), [path]);
  return (
    <form
      className="flex items-center gap-1 p-2"
      onSubmit={(event) => {
        event.preventDefault();
        onGo(typed);
      }}
    >
      <IconButton label="Folder above" onClick={() => onGo(parentOf(path))} disabled={path === "/"}>
        <CornerLeftUp size={16} aria-hidden="true" />
      </IconButton>
      <input
        aria-label="Folder"
        value={typed}
        spellCheck={false}
        onChange={(event) => setTyped(event.target.value)}
        className="min-h-9 w-full min-w-0 rounded-md border border-edge bg-card px-2 font-mono text-xs"
      />
    </form>
  );
}
