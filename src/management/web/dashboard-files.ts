/**
 * The built dashboard's files, compressed. `build.ts` replaces this module in the executable by one that
 * embeds them; in development they are read from `dist/dashboard`.
 *
 * @module
 */
import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";

export interface DashboardFile {
  /** Media type. */
  readonly type: string;
  /** Paths that `Bun.file` reads. */
  readonly zstd: string;
  readonly gzip: string;
}

export interface DashboardFiles {
  /** By name, as in `/assets/NAME`. */
  readonly files: Readonly<Record<string, DashboardFile>>;
  /** Names of the page's script and style sheet, and of scripts to preload. */
  readonly script: string;
  readonly style: string;
  readonly preload: readonly string[];
}

const FOLDER = resolve(import.meta.dir, "../../../dist/dashboard");

/** Null: the dashboard was not built. */
export function dashboardFiles(): DashboardFiles | null {
  const manifest = join(FOLDER, "manifest.json");
  if (!existsSync(manifest)) return null;
  const built = JSON.parse(readFileSync(manifest, "utf8")) as DashboardFiles;
  const files = Object.entries(built.files).map(([name, { type, zstd, gzip }]) => [
    name,
    { type, zstd: join(FOLDER, zstd), gzip: join(FOLDER, gzip) },
  ]);
  return { ...built, files: Object.fromEntries(files) };
}
