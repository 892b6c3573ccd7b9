/**
 * The files of a folder, with the actions on each.
 *
 * @module
 */
import { Download, Ellipsis, FileText, FolderClosed } from "lucide-react";
import type { ListedFile } from "../../../browser-ssh/sftp/sftp-messages.ts";
import { IconButton } from "../../components/button.tsx";
import { Menu } from "../../components/menu.tsx";
import { bytesText, sortedFiles } from "../../terminal/file-words.ts";
import type { FileChange } from "./file-dialogs.tsx";

interface FileListProps {
  /** Null while they are being read. */
  readonly files: readonly ListedFile[] | null;
  /** Called for a folder or a link. */
  onOpen(file: ListedFile): void;
  onDownload(file: ListedFile): void;
  /** Null if nothing can be changed now. */
  readonly onChange: ((change: FileChange) => void) | null;
}

export function FileList({ files, onOpen, onDownload, onChange }: FileListProps) {
  if (files === null) return <p className="flex-1 px-3 text-soft">Looking…</p>;
  if (files.length === 0) return <p className="flex-1 px-3 text-soft">Nothing is here.</p>;
  return (
    <ul aria-label="Files of this folder" className="min-h-0 flex-1 overflow-y-auto border-line border-t">
      {sortedFiles(files).map((file) => (
        <li
          key={file.name}
          className="flex min-h-9 items-center gap-1 border-line border-b pr-1 pl-3 last:border-0"
        >
          <FileName file={file} onOpen={() => onOpen(file)} />
          <span className="mr-1 whitespace-nowrap text-soft text-xs tabular-nums">
            {file.kind === "file" && file.size !== null ? bytesText(file.size) : ""}
          </span>
          {file.kind === "folder" ? null : (
            <IconButton label={`Download ${file.name}`} onClick={() => onDownload(file)}>
              <Download size={16} aria-hidden="true" />
            </IconButton>
          )}
          <Menu
            trigger={
              <IconButton label={`More for ${file.name}`} disabled={onChange === null}>
                <Ellipsis size={16} aria-hidden="true" />
              </IconButton>
            }
            actions={[
              { label: "Rename…", onSelect: () => onChange?.({ kind: "rename", file }) },
              { label: "Delete…", onSelect: () => onChange?.({ kind: "delete", file }), danger: true },
            ]}
          />
        </li>
      ))}
    </ul>
  );
}

function FileName({ file, onOpen }: { readonly file: ListedFile; onOpen(): void }) {
  const isOpened = file.kind === "folder" || file.kind === "link";
  const Icon = isOpened ? FolderClosed : FileText;
  const shown = (
    <>
      <Icon size={16} aria-hidden="true" className="shrink-0 text-soft" />
      <span className="truncate" title={file.name}>
        {file.name}
      </span>
    </>
  );
  if (!isOpened) return <span className="flex min-w-0 flex-1 items-center gap-2">{shown}</span>;
  return (
    <button
      type="button"
      className="flex min-h-9 min-w-0 flex-1 items-center gap-2 text-left hover:text-accent"
      onClick={onOpen}
    >
      {shown}
    </button>
  );
}
