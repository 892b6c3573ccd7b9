/**
 * `/install.sh` and `/downloads/<version>/…`: what machines install QuFabric from. Public, and shows nothing
 * but releases.
 *
 * @module
 */
import type { Stats } from "node:fs";
import { stat } from "node:fs/promises";
import { QfError } from "../../base/errors.ts";
import { SAFE_HEADERS } from "../../base/html.ts";
import type { ApiFailure } from "../../wire/client-api.ts";
import { MANIFEST_FILE, ReleaseVersion, SIGNATURE_FILE, TARGETS, type Target } from "../../wire/release.ts";
import { installScript } from "../releases/install-script.ts";
import { PACKINGS, type Packing } from "../releases/packed-file.ts";
import type { Releases } from "../releases/releases.ts";
import { createDownloadTurns, type DownloadTurns } from "./download-turns.ts";
import type { Route } from "./request-entry.ts";

const INSTALL_PATH = "/install.sh";
const DOWNLOADS_PATH = "/downloads";
const LATEST = "latest";
/** Retry-After for a machine that finds too many downloads in progress. */
const RETRY_SECONDS = 5;

const ENCODINGS: Readonly<Record<Packing, string>> = { zst: "zstd", gz: "gzip" };

export interface DownloadDeps {
  readonly origin: string;
  readonly releaseKeys: readonly string[];
  readonly releases: Releases;
  /** Absent: a new one with the default bounds. */
  readonly turns?: DownloadTurns;
}

/** The download routes; one handler answers all of them. */
export function downloadRoutes(deps: DownloadDeps): Route[] {
  const { answer } = createDownloads(deps);
  return [INSTALL_PATH, DOWNLOADS_PATH].map((prefix) => ({
    prefix,
    answer: (request, source) => answer(request, source),
  }));
}

export interface Downloads {
  answer(request: Request, source: string): Promise<Response>;
}

export function createDownloads(deps: DownloadDeps): Downloads {
  const { releases, turns = createDownloadTurns() } = deps;
  const script = installScript(deps.origin, deps.releaseKeys);
  return {
    async answer(request, source) {
      if (request.method !== "GET" && request.method !== "HEAD") {
        throw new QfError("ERR_METHOD_NOT_ALLOWED", "releases can only be read");
      }
      const { pathname } = new URL(request.url);
      if (pathname === INSTALL_PATH) return text(script);
      const [, , asked, name, ...more] = pathname.split("/");
      if (asked === undefined || name === undefined || more.length > 0) throw nothing();
      const version = asked === LATEST ? await releases.latest() : asked;
      if (version === undefined || !ReleaseVersion.safeParse(version).success) throw nothing();
      if (name === MANIFEST_FILE) return text(await releases.manifest(version), "application/json");
      if (name === SIGNATURE_FILE) return text(await releases.signature(version));
      const { path, headers } = await findBuild(releases, version, name, request);
      // A HEAD request sends no body, so it needs no turn.
      if (request.method === "HEAD") return new Response(Bun.file(path), { headers });
      const body = await turns.bodyOf(path, source);
      return body === null ? busy() : new Response(body, { headers });
    },
  };
}

function nothing(): QfError {
  return new QfError("ERR_NOT_FOUND", "there is no such release here");
}

/** Sent as plain text, so that no browser runs it. */
function text(body: string | undefined, type = "text/plain; charset=utf-8"): Response {
  if (body === undefined) throw nothing();
  return new Response(body, { headers: { ...SAFE_HEADERS, "content-type": type } });
}

interface FoundBuild {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
}

/**
 * Finds a build. `<target>` is served as it is, or compressed for a client that accepts it; `<target>.zst`
 * and `<target>.gz` are compressed files.
 */
async function findBuild(
  releases: Releases,
  version: string,
  name: string,
  request: Request,
): Promise<FoundBuild> {
  const match = /^([a-z0-9-]+)(?:\.(zst|gz))?$/.exec(name);
  const target = TARGETS.find((one): one is Target => one === match?.[1]);
  if (target === undefined) throw nothing();
  const packing = PACKINGS.find((one) => one === match?.[2]);
  if (packing !== undefined) return await foundAt(await releases.file(version, target, packing));
  const taken = request.headers.get("accept-encoding") ?? "";
  const encoded = PACKINGS.find((one) =>
    new RegExp(`\\b${ENCODINGS[one]}\\b(?!\\s*;\\s*q=0(?:\\.0*)?\\s*(?:,|$))`).test(taken),
  );
  const packed = encoded === undefined ? undefined : await releases.file(version, target, encoded);
  if (encoded === undefined || packed === undefined) {
    return await foundAt(await releases.file(version, target, undefined), { vary: "accept-encoding" });
  }
  return await foundAt(packed, { vary: "accept-encoding", "content-encoding": ENCODINGS[encoded] });
}

async function foundAt(path: string | undefined, more: Record<string, string> = {}): Promise<FoundBuild> {
  const found: Stats | null = path === undefined ? null : await stat(path).catch(() => null);
  if (path === undefined || found === null) throw nothing();
  return { path, headers: { ...SAFE_HEADERS, ...more, "content-type": "application/octet-stream" } };
}

/** The refusal in the form of all others of this port. Installers and `qf upgrade` try again. */
function busy(): Response {
  const message = "too many downloads are under way: try again in a while";
  const body: ApiFailure = { code: 503, message, error: "ERR_UNAVAILABLE" };
  const headers = { ...SAFE_HEADERS, "retry-after": String(RETRY_SECONDS) };
  return Response.json(body, { status: 503, headers });
}
