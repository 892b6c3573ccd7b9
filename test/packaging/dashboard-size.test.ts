/** The dashboard as it is built: what a browser loads before the first page is there. */
import { expect, test } from "bun:test";
import { existsSync, readFileSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import type { DashboardManifest } from "../../packaging/dashboard.ts";

const FOLDER = resolve(import.meta.dir, "../../dist/dashboard");
const MANIFEST = join(FOLDER, "manifest.json");
const FIRST_LOAD_BYTES_MAX = 200_000;

test.skipIf(!existsSync(MANIFEST))("its first load is at most 200 kB of compressed script", () => {
  const { files, script, preload } = JSON.parse(readFileSync(MANIFEST, "utf8")) as DashboardManifest;
  const first = [...new Set([script, ...preload])];
  const sizeOf = (name: string): number => statSync(join(FOLDER, files[name]?.gzip ?? "")).size;
  const bytes = first.reduce((sum, name) => sum + sizeOf(name), 0);
  expect(bytes).toBeLessThanOrEqual(FIRST_LOAD_BYTES_MAX);
  // What only some pages need is no part of it.
  const rest = Object.keys(files).filter((name) => name.endsWith(".js") && !first.includes(name));
  expect(rest.length).toBeGreaterThan(5);
});
