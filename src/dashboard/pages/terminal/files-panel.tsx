/**
 * Files of the machine beside the terminal, by SFTP over the same connection: list, upload, download.
 *
 * @module
 */
import { CornerLeftUp, Download, FolderClosed, Upload } from "lucide-react";
import { type DragEvent, useCallback, useEffect, useRef, useState } from "react";
import type { SshConnection } from "../../../browser-ssh/connection.ts";
import { openSftp, type SftpClient } from "../../../browser-ssh/sftp/sftp-client.ts";
import type { ListedFile } from "../../../browser-ssh/sftp/sftp-messages.ts";
import { Button, IconButton } from "../../components/button.tsx";
import { classes } from "../../components/class-names.ts";
import { ConfirmDialog } from "../../components/dialog.tsx";
import { FileTransfers, type Transfer } from "../../terminal/file-transfers.ts";
import { bytesText, joinPath, parentOf, sortedFiles } from "../../terminal/file-words.ts";
import { TransferList } from "./transfer-list.tsx";

interface FilesPanelProps {
  readonly connection: SshConnection;
  readonly isOver: boolean;
}

export function FilesPanel({ connection, isOver }: FilesPanelProps) {
  const folder = useFolder(connection);
  const [transfers, setTransfers] = useState<readonly Transfer[]>([]);
  const [asking, setAsking] = useState<readonly File[]>([]);
  const [isOverDrop, setIsOverDrop] = useState(false);
  const { client, path, files, problem } = folder;
  const work = useRef<FileTransfers | null>(null);
  if (client !== null && work.current?.client !== client)
    work.current = new FileTransfers(client, setTransfers);
  const put = async (chosen: readonly File[], replace: boolean): Promise<void> => {
    const there = new Set((files ?? []).map(({ name }) => name));
    const [known, fresh] = [
      chosen.filter(({ name }) => there.has(name)),
      chosen.filter((f) => !there.has(f.name)),
    ];
    if (!replace && known.length > 0) setAsking(known);
    await Promise.all((replace ? chosen : fresh).map((file) => work.current?.put(file, path, replace)));
    folder.reload();
  };
  const onDrop = (event: DragEvent): void => {
    event.preventDefault();
    setIsOverDrop(false);
    if (!isOver) void put([...event.dataTransfer.files], false);
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
      {problem === null ? null : (
        <p role="alert" className="mx-3 mb-2 text-bad text-sm">
          {problem}
        </p>
      )}
      <FileList
        files={files}
        path={path}
        onFolder={folder.go}
        onDownload={(file) => void work.current?.get(joinPath(path, file.name), file.name)}
      />
      <TransferList transfers={transfers} onCancel={(id) => work.current?.cancel(id)} />
      <UploadBar isDisabled={client === null || isOver} onFiles={(chosen) => void put(chosen, false)} />
      <AskReplace
        names={asking.map(({ name }) => name)}
        onDone={() => setAsking([])}
        onReplace={() => void put(asking, true)}
      />
    </section>
  );
}

interface AskReplaceProps {
  /** Empty: nothing is asked. */
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
}

function UploadBar({ isDisabled, onFiles }: UploadBarProps) {
  const input = useRef<HTMLInputElement>(null);
  return (
    <div className="flex items-center gap-2 border-line border-t p-2">
      <Button size="small" disabled={isDisabled} onClick={() => input.current?.click()}>
        <Upload size={16} aria-hidden="true" />
        Upload
      </Button>
      <span className="text-soft text-xs">or drop files here</span>
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

interface FileListProps {
  readonly files: readonly ListedFile[] | null;
  readonly path: string;
  onFolder(path: string): void;
  onDownload(file: ListedFile): void;
}

function FileList({ files, path, onFolder, onDownload }: FileListProps) {
  if (files === null) return <p className="flex-1 px-3 text-soft">Looking…</p>;
  if (files.length === 0) return <p className="flex-1 px-3 text-soft">Nothing is here.</p>;
  return (
    <ul aria-label="Files of this folder" className="min-h-0 flex-1 overflow-y-auto border-line border-t">
      {sortedFiles(files).map((file) => (
        <li
          key={file.name}
          className="flex min-h-9 items-center gap-2 border-line border-b px-3 last:border-0"
        >
          {file.kind === "folder" || file.kind === "link" ? (
            <button
              type="button"
              className="flex min-h-9 min-w-0 flex-1 items-center gap-2 text-left hover:text-accent"
              onClick={() => onFolder(joinPath(path, file.name))}
            >
              <FolderClosed size={16} aria-hidden="true" className="shrink-0" />
              <span className="truncate">{file.name}</span>
            </button>
          ) : (
            <span className="min-w-0 flex-1 truncate">{file.name}</span>
          )}
          <span className="whitespace-nowrap text-soft text-xs tabular-nums">
            {file.kind === "file" && file.size !== null ? bytesText(file.size) : ""}
          </span>
          {file.kind === "folder" ? null : (
            <IconButton label={`Download ${file.name}`} onClick={() => onDownload(file)}>
              <Download size={16} aria-hidden="true" />
            </IconButton>
          )}
        </li>
      ))}
    </ul>
  );
}

/** The folder that is shown, and the client that reads it. */
function useFolder(connection: SshConnection) {
  const [client, setClient] = useState<SftpClient | null>(null);
  const [path, setPath] = useState("/");
  const [files, setFiles] = useState<readonly ListedFile[] | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const failed = useCallback((error: unknown) => {
    setProblem(error instanceof Error ? error.message : "The files cannot be read.");
    setFiles((known) => known ?? []);
  }, []);
  const show = useCallback(
    async (from: SftpClient, wanted: string) => {
      try {
        const real = await from.realpath(wanted);
        const found = await from.list(real);
        setPath(real);
        setFiles(found);
        setProblem(null);
      } catch (error) {
        failed(error);
      }
    },
    [failed],
  );
  useEffect(() => {
    let opened: SftpClient | null = null;
    let isGone = false;
    openSftp(connection).then((one) => {
      opened = one;
      if (isGone) one.end();
      else {
        setClient(one);
        void show(one, ".");
      }
    }, failed);
    return () => {
      isGone = true;
      opened?.end();
    };
  }, [connection, show, failed]);
  const go = (wanted: string): void => {
    if (client !== null) void show(client, wanted);
  };
  return { client, path, files, problem, go, reload: () => go(path) };
}
