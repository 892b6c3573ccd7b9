/**
 * Bounded requests to an identity provider: never unencrypted beyond this machine, never redirected, limited
 * in time and size.
 *
 * @module
 */
import { QfError } from "../base/errors.ts";
import { linkFailure } from "../base/link-failure.ts";

const TIMEOUT_MS = 10_000;
/** Discovery documents and key sets of large providers have tens of kilobytes. */
const ANSWER_BYTES_MAX = 512 * 1024;

/** Whether `url` may be requested: https, or http on a loopback address. */
export function isSafeUrl(url: string): boolean {
  const parsed = URL.parse(url);
  if (parsed === null) return false;
  return parsed.protocol === "https:" || (parsed.protocol === "http:" && isLoopbackHost(parsed.hostname));
}

/** 127.0.0.0/8, ::1 and localhost. */
export function isLoopbackHost(hostname: string): boolean {
  return hostname === "localhost" || hostname === "[::1]" || /^127(?:\.\d{1,3}){3}$/.test(hostname);
}

/** `fetch` with these bounds, whatever the caller requests. Throws ERR_UNAVAILABLE with an explanation. */
export function createStrictFetch(inner: typeof fetch, timeoutMs = TIMEOUT_MS): typeof fetch {
  const strict = async (input: RequestInfo | URL, init?: RequestInit): Promise<Response> => {
    const url = input instanceof Request ? input.url : String(input);
    if (!isSafeUrl(url)) throw new QfError("ERR_UNAVAILABLE", "the identity provider's address is not https");
    try {
      const response = await inner(input, {
        ...init,
        redirect: "error",
        keepalive: isSentAgain(input, init),
        signal: AbortSignal.any([AbortSignal.timeout(timeoutMs), ...(init?.signal ? [init.signal] : [])]),
      });
      const body = await readBounded(response);
      return new Response(body, { status: response.status, headers: response.headers });
    } catch (cause) {
      if (cause instanceof QfError) throw cause;
      const { message, fix } = linkFailure(cause);
      const where = `the identity provider at ${new URL(url).origin}`;
      throw new QfError("ERR_UNAVAILABLE", `cannot reach ${where}: ${message}`, {
        hint: fix ?? "check its address, that it runs, and that this machine can reach it",
        cause,
      });
    }
  };
  return Object.assign(strict, { preconnect: () => {} });
}

/**
 * Whether fetch retries a request when the server closes a reused connection just then. Requests that it does
 * not retry, such as the POST of a code, use their own connection.
 */
function isSentAgain(input: RequestInfo | URL, init: RequestInit | undefined): boolean {
  const method = init?.method ?? (input instanceof Request ? input.method : "GET");
  return ["GET", "HEAD"].includes(method.toUpperCase());
}

async function readBounded(response: Response): Promise<Uint8Array<ArrayBuffer>> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of response.body ?? []) {
    size += part.byteLength;
    if (size > ANSWER_BYTES_MAX)
      throw new QfError("ERR_UNAVAILABLE", "the identity provider's answer is too long");
    parts.push(part);
  }
  return new Uint8Array(Buffer.concat(parts));
}
