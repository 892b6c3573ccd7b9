/**
 * Downloads of a release from management: the manifest, verified against the keys that this machine trusts,
 * and its builds.
 *
 * @module
 */
import { QfError } from "../../base/errors.ts";
import { parseJson } from "../../base/files.ts";
import { linkFailure } from "../../base/link-failure.ts";
import { randomUpTo } from "../../base/random.ts";
import { isSshSigned } from "../../base/ssh-signature.ts";
import {
  MANIFEST_BYTES_MAX,
  MANIFEST_FILE,
  RELEASE_NAMESPACE,
  ReleaseManifest,
  SIGNATURE_FILE,
} from "../../wire/release.ts";

const TIMEOUT_MS = 30_000;
/** Enough for a packed build of some 50 MB over a slow link. */
const BUILD_TIMEOUT_MS = 1_800_000;
/** Longest wait for a download slot, and the cap of the server's retry-after. */
const TURN_MS_MAX = 900_000;
const RETRY_MS_MAX = 60_000;

type Fetch = (url: string, init: RequestInit) => Promise<Response>;

/** Fetches the manifest of `name`, a version or "latest". Throws what `verifyManifest` throws. */
export async function fetchManifest(
  url: string,
  name: string,
  keys: readonly string[],
  request: Fetch = fetch,
): Promise<ReleaseManifest> {
  const get = async (file: string): Promise<string | undefined> => {
    const response = await ask(`${url}/downloads/${name}/${file}`, TIMEOUT_MS, request);
    if (response.status === 404) return undefined;
    const text = await response.text();
    if (text.length > MANIFEST_BYTES_MAX) throw new QfError("ERR_TOO_LARGE", `the ${file} is too large`);
    return text;
  };
  const text = await get(MANIFEST_FILE);
  if (text === undefined) {
    throw new QfError("ERR_NOT_FOUND", `${url} has no release ${name}`, {
      hint: "an administrator puts releases into the --releases folder of the server",
    });
  }
  return verifyManifest(text, await get(SIGNATURE_FILE), keys);
}

/**
 * Verifies and parses a manifest. Throws ERR_FORBIDDEN unless one of `keys` signed it, and ERR_UNPROCESSABLE
 * when this build cannot read it.
 */
export function verifyManifest(
  text: string,
  signature: string | undefined,
  keys: readonly string[],
): ReleaseManifest {
  if (keys.length === 0) {
    throw new QfError("ERR_FORBIDDEN", "this is a development build, which trusts no release", {
      hint: "install a release with install.sh, or let root add its key to /etc/qufabric/release-keys",
    });
  }
  if (signature === undefined) throw notSigned("the release is not signed");
  const message = Buffer.from(text);
  if (!isSshSigned({ message, signature, namespace: RELEASE_NAMESPACE, keys })) {
    throw notSigned("the release is not signed by a key that this machine trusts");
  }
  const parsed = ReleaseManifest.safeParse(parseJson(text));
  if (parsed.success) return parsed.data;
  throw new QfError("ERR_UNPROCESSABLE", "the release is of a kind that this build cannot read", {
    cause: parsed.error,
  });
}

function notSigned(message: string): QfError {
  return new QfError("ERR_FORBIDDEN", message, {
    hint: "it may have been tampered with; nothing was changed",
  });
}

/**
 * Fetches the packed build of `target`, waiting while the server has too many downloads. Throws ERR_NOT_FOUND
 * or ERR_UNAVAILABLE.
 */
export async function fetchBuild(
  url: string,
  { version, target }: { readonly version: string; readonly target: string },
  request: Fetch = fetch,
  sleep: (ms: number) => Promise<void> = Bun.sleep,
): Promise<ReadableStream<Uint8Array>> {
  const waiting = waitingForTurn(request, sleep);
  const response = await ask(`${url}/downloads/${version}/${target}.zst`, BUILD_TIMEOUT_MS, waiting);
  if (response.status === 200 && response.body !== null) return response.body;
  throw new QfError("ERR_NOT_FOUND", `${url} has no build of ${version} for ${target}`);
}

/** Wraps `request` to retry while the server answers 503 with retry-after, for a quarter of an hour. */
function waitingForTurn(request: Fetch, sleep: (ms: number) => Promise<void>): Fetch {
  return async (url, init) => {
    for (let leftMs = TURN_MS_MAX; ; ) {
      const response = await request(url, init);
      const seconds = Number(response.headers.get("retry-after") ?? Number.NaN);
      if (response.status !== 503 || !(seconds > 0) || leftMs <= 0) return response;
      // Others wait as well, so spread the retries.
      const leastMs = Math.min(seconds * 1000, RETRY_MS_MAX);
      const waitMs = leastMs + randomUpTo(leastMs);
      leftMs -= waitMs;
      await sleep(waitMs);
    }
  };
}

async function ask(url: string, timeoutMs: number, request: Fetch): Promise<Response> {
  try {
    const signal = AbortSignal.timeout(timeoutMs);
    const response = await request(url, { redirect: "error", signal });
    if (response.status === 200 || response.status === 404) return response;
    throw new QfError("ERR_UNAVAILABLE", `${new URL(url).origin} answered with ${response.status}`);
  } catch (cause) {
    if (cause instanceof QfError) throw cause;
    const { message, fix } = linkFailure(cause);
    throw new QfError("ERR_UNAVAILABLE", `cannot reach ${new URL(url).origin}: ${message}`, {
      hint: fix ?? "nothing was changed; run it again",
      cause,
    });
  }
}
