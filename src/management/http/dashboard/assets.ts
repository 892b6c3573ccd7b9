/**
 * `/assets/NAME`: files of the dashboard, compressed at build time. Browsers cache them for good, since a
 * name changes with its content.
 *
 * @module
 */

import { SAFE_HEADERS } from "../../../base/html.ts";
import { DASHBOARD_ASSETS_PATH } from "../../../wire/dashboard-section.ts";
import type { DashboardFiles } from "../../web/dashboard-files.ts";

const YEAR_SECONDS = 31_536_000;

/** Null: there is no such file. */
export function assetResponse(built: DashboardFiles, request: Request, pathname: string): Response | null {
  const name = pathname.slice(DASHBOARD_ASSETS_PATH.length + 1);
  if (!Object.hasOwn(built.files, name)) return null;
  const file = built.files[name];
  if (file === undefined || (request.method !== "GET" && request.method !== "HEAD")) return null;
  const accepted = (request.headers.get("accept-encoding") ?? "").toLowerCase();
  const encoding = /\bzstd\b/.test(accepted) ? "zstd" : /\bgzip\b/.test(accepted) ? "gzip" : null;
  const headers = {
    ...SAFE_HEADERS,
    "content-type": file.type,
    "cache-control": `public, max-age=${YEAR_SECONDS}, immutable`,
    vary: "accept-encoding",
  };
  if (encoding === null) {
    const plain = Bun.file(file.gzip).stream().pipeThrough(new DecompressionStream("gzip"));
    return new Response(plain, { headers });
  }
  return new Response(Bun.file(file[encoding]), { headers: { ...headers, "content-encoding": encoding } });
}
