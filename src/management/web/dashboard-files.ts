/**
 * The built dashboard: its files, compressed. In the executable `build.ts` puts another module in the place
 * of this one, in which they are embedded; here, in development, they are those of `dist/dashboard`.
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
  /** Names of the script and the style sheet that the page begins with, and of scripts to fetch with them. */
  readonly script: string;
  readonly style: string;
  readonly preload: readonly string[];
}

const FOLDER = resolve(import.meta.dir, "../../../dist/dashboard");

/** Null: it was not built. */
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
