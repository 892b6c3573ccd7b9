/**
 * Formats paths and sizes of files for the panel.
 *
 * @module
 */
import type { ListedFile } from "../../browser-ssh/sftp/sftp-messages.ts";

const UNITS = ["B", "kB", "MB", "GB", "TB"] as const;

export function bytesText(bytes: number): string {
  let [value, unit] = [bytes, 0];
  while (value >= 1_000 && unit < UNITS.length - 1) [value, unit] = [value / 1_000, unit + 1];
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${UNITS[unit]}`;
}

export function joinPath(folder: string, name: string): string {
  return folder.endsWith("/") ? folder + name : `${folder}/${name}`;
}

export function parentOf(path: string): string {
  return path.replace(/\/+[^/]*\/*$/, "") || "/";
}

/** The name of a file without folders, whatever the browser reports. */
export function baseName(name: string): string {
  const base = name.split(/[/\\]/).at(-1) ?? "";
  return base === "" || base === "." || base === ".." ? "file" : base;
}

/** Whether this is a valid name for a file in a folder. */
export function isFileName(name: string): boolean {
  return name !== "" && name !== "." && name !== ".." && !/[/\u0000]/.test(name);
}

/** Folders first, then by name. */
export function sortedFiles(files: readonly ListedFile[]): readonly ListedFile[] {
  return [...files].sort(
    (a, b) => Number(b.kind === "folder") - Number(a.kind === "folder") || a.name.localeCompare(b.name),
  );
}
