/**
 * Explains failed connections to a server to people, from the error codes of Bun's fetch and WebSocket.
 *
 * @module
 */

/** The explanation of one failed connection. */
export interface LinkFailure {
  /** Shown after "cannot reach X: ". */
  readonly message: string;
  /** The next step. Undefined: check the URL and the server. */
  readonly fix: string | undefined;
  /** True when nothing answered; false when another server answered or the right one refused. */
  readonly isAway: boolean;
}

const AWAY: Readonly<Record<string, string>> = {
  ConnectionRefused: "connection refused",
  ECONNREFUSED: "connection refused",
  ENOTFOUND: "unknown host or no network",
  EAI_AGAIN: "unknown host or no network",
  FailedToOpenSocket: "unknown host or no network",
  ENETUNREACH: "no network",
  EHOSTUNREACH: "no way to that host",
  ENETDOWN: "no network",
  EHOSTDOWN: "no way to that host",
  ETIMEDOUT: "no answer in time",
  ConnectionClosed: "the connection was lost",
  ECONNRESET: "the connection was lost",
};

const CERTIFICATE: Readonly<Record<string, readonly [message: string, fix: string]>> = {
  ERR_TLS_CERT_ALTNAME_INVALID: [
    "its TLS certificate is for another name",
    "use the name that is in the certificate, or give the server one for this name",
  ],
  CERT_HAS_EXPIRED: ["its TLS certificate has expired", "renew it there, and check the clock here"],
  CERT_NOT_YET_VALID: ["its TLS certificate is not valid yet", "check the clocks here and there"],
};
const UNTRUSTED_FIX =
  "let this system trust its authority (update-ca-certificates), or name that one's file in SSL_CERT_FILE";

/** HTTP statuses a proxy returns when the server behind it is unreachable (RFC 9110 section 15.6). */
export const GATEWAY_STATUSES: readonly number[] = [502, 503, 504];

/**
 * The explanation of `cause`, an error of fetch or of a WebSocket, by its code. Never throws; an unknown
 * cause has a general explanation.
 */
export function linkFailure(cause: unknown): LinkFailure {
  const { name, code, message } = (cause ?? {}) as { name?: string; code?: unknown; message?: unknown };
  const plain = (text: string, isAway: boolean): LinkFailure => ({ message: text, fix: undefined, isAway });
  if (name === "TimeoutError") return plain("no answer in time", true);
  // Bun has no code for this one.
  const [, status] = /Expected 101 status code: (\d{3})/.exec(String(message)) ?? [];
  if (status !== undefined) return withoutWebSocket(Number(status));
  if (typeof code !== "string") return plain("the connection failed", false);
  if (Object.hasOwn(AWAY, code)) return plain(AWAY[code] ?? "", true);
  if (code === "UnexpectedRedirect")
    return plain("it answered with a redirect, which is not followed", false);
  const explanation = Object.hasOwn(CERTIFICATE, code) ? CERTIFICATE[code] : undefined;
  if (explanation !== undefined) return { message: explanation[0], fix: explanation[1], isAway: false };
  const isTls = code.includes("CERT") || code.includes("SELF_SIGNED") || code.includes("LEAF_SIGNATURE");
  return isTls
    ? { message: "its TLS certificate is not trusted", fix: UNTRUSTED_FIX, isAway: false }
    : plain("the connection failed", false);
}

/** The server speaks HTTP but did not open the WebSocket. */
function withoutWebSocket(status: number): LinkFailure {
  if (GATEWAY_STATUSES.includes(status)) {
    return {
      message: `it is not ready, or lost to the proxy in front of it (HTTP status ${status})`,
      fix: "wait a moment; if it stays so, look at that proxy and at management",
      isAway: true,
    };
  }
  // Our own server answers this way when a proxy dropped the upgrade.
  const isPlain = status === 426 || status === 400 || status === 200;
  return {
    message: isPlain
      ? `a proxy in front of it does not pass WebSockets on (HTTP status ${status})`
      : `it takes no WebSocket (HTTP status ${status})`,
    fix: isPlain
      ? "have that proxy pass the headers Upgrade and Connection on, by HTTP/1.1"
      : "check that the URL is QuFabric's management, and what a proxy in front of it allows",
    isAway: false,
  };
}
