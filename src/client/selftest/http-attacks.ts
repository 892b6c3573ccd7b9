/**
 * Attacks on the HTTP side of management: without a token, with forged ones, from other sites, by other
 * names, by paths, bodies and headers.
 *
 * @module
 */
import { randomBytes } from "node:crypto";
import type { Attack, Verdict } from "./attack.ts";

const ANSWER_CHARS_MAX = 200_000;
const TIMEOUT_MS = 10_000;
const EVIL = "evil.example";
const FLOOD = 40;

interface Asked {
  readonly status: number;
  readonly text: string;
  readonly headers: Headers;
}

/** API paths that reveal data about everyone. */
const PRIVATE = [
  "/api/users",
  "/api/peers",
  "/api/setup-keys",
  "/api/policies",
  "/api/policy/export",
  "/api/policy/history",
  "/api/sessions",
  "/api/recordings",
  "/api/events/audit",
  "/api/audit-streams",
];
const TRAVERSALS = [
  "/downloads/..%2f..%2f..%2f..%2fetc%2fpasswd",
  "/downloads/%2e%2e%2f%2e%2e%2fmaster.key",
  "/assets/..%5c..%5cmaster.key",
  "/docs/..%252f..%252f..%252fetc%252fpasswd",
  "/downloads/1.0.0/..%2f..%2fmanagement.db",
];
const SECRETS = /root:[^:\n]*:0:0:|-----BEGIN [A-Z ]*PRIVATE KEY-----|^SQLite format 3/m;
const MARK = "<script>qf_selftest</script>";

/** `url`: the origin of management. */
export function httpAttacks(url: string): Attack[] {
  const ask: Ask = (path, init) => request(url, path, init);
  const attack: Name = (id, tried, run) => ({ id, target: url, tried, run });
  return [...accessAttacks(ask, attack), ...contentAttacks(ask, attack, url)];
}

type Name = (id: string, tried: string, run: () => Promise<Verdict>) => Attack;

/** Attacks on the caller's identity: tokens, cookies and host names. */
function accessAttacks(ask: Ask, attack: Name): Attack[] {
  return [
    attack("api_without_token", "the REST API without a token", () => allRefused(ask, PRIVATE.map(plain))),
    attack("api_forged_token", "the REST API with made-up tokens and an unsigned ID token", () =>
      allRefused(
        ask,
        forgedTokens().map((authorization) => ["/api/users", { headers: { authorization } }]),
      ),
    ),
    attack("api_cookie_cross_site", "the REST API with a cookie only, from another site or none", () =>
      allRefused(
        ask,
        [{}, { origin: `https://${EVIL}` }, { origin: "null" }].map((more) => [
          "/api/users",
          { headers: { cookie: `__Host-qf_session=${secret()}`, ...more } },
        ]),
      ),
    ),
    attack("change_cross_site", "a change by a cookie only, from another site or none", () =>
      allRefused(
        ask,
        [{}, { origin: `https://${EVIL}` }, { origin: "null" }].map((more) => [
          "/api/groups",
          {
            method: "POST",
            headers: { cookie: `__Host-qf_session=${secret()}`, "content-type": "text/plain", ...more },
            body: "{}",
          },
        ]),
      ),
    ),
    attack("sign_in_by_script", "pages that sign people in, asked for by a script and in a frame", () =>
      allRefused(
        ask,
        [
          { "sec-fetch-mode": "cors", "sec-fetch-dest": "empty", "sec-fetch-site": "same-origin" },
          { "sec-fetch-mode": "navigate", "sec-fetch-dest": "iframe", "sec-fetch-site": "same-origin" },
        ].flatMap((headers) => ["/login/dashboard", "/setup/x"].map((path): Request => [path, { headers }])),
      ),
    ),
    attack("host_rebinding", "requests under another host name", async () => {
      const { status } = await ask("/client/v1/config", { headers: { host: EVIL } });
      return status < 400 ? `it answered with HTTP status ${status}` : null;
    }),
    attack("host_injection", "another host name by proxies' headers", () =>
      noneContains(
        ask,
        ["/install.sh", "/client/v1/config", "/"].map((path) => [
          path,
          { headers: { "x-forwarded-host": EVIL, forwarded: `host=${EVIL}` } },
        ]),
        (text) => text.includes(EVIL),
      ),
    ),
  ];
}

/** Attacks by path, body and header. */
function contentAttacks(ask: Ask, attack: Name, url: string): Attack[] {
  return [
    attack("path_traversal", "files outside of what is handed out", () =>
      noneContains(ask, TRAVERSALS.map(plain), (text) => SECRETS.test(text)),
    ),
    attack("reflected_script", "markup in addresses of sign-in pages", () =>
      noneContains(
        ask,
        [
          `/login?error=${encodeURIComponent(MARK)}`,
          `/login/callback?state=${encodeURIComponent(MARK)}&error_description=${encodeURIComponent(MARK)}`,
          `/setup/${encodeURIComponent(MARK)}`,
          `/${encodeURIComponent(MARK)}`,
        ].map(plain),
        (text) => text.includes(MARK),
      ),
    ),
    attack("open_redirect", "a sign-in that leads to another site", async () => {
      const to = encodeURIComponent(`https://${EVIL}/`);
      const { headers } = await ask(`/login/dashboard?to=${to}`);
      const location = URL.parse(headers.get("location") ?? "", url);
      return location?.hostname === EVIL ? `it redirects to ${location.href}` : null;
    }),
    attack("framing", "its pages in a frame of another site", async () => {
      const { headers } = await ask("/", { headers: { accept: "text/html" } });
      const policy = headers.get("content-security-policy") ?? "";
      return policy.includes("frame-ancestors 'none'") ? null : "its first page may be framed";
    }),
    attack("malformed_bodies", "bodies that are too long, no JSON, or name what objects inherit", () =>
      allRefused(
        ask,
        ["{", '{"__proto__":{"role":"owner"}}', `"${"x".repeat(2_000_000)}"`, "[".repeat(50_000)].map(
          (body) => [
            "/client/v1/certificates",
            { method: "POST", headers: { "content-type": "application/json" }, body },
          ],
        ),
      ),
    ),
    attack("small_flood", `${FLOOD} questions at once`, async () => {
      await Promise.all(Array.from({ length: FLOOD }, () => ask("/client/v1/config")));
      const { status } = await ask("/healthz");
      return status === 200 ? null : `afterwards it answered with HTTP status ${status}`;
    }),
  ];
}

function secret(): string {
  return randomBytes(32).toString("base64url");
}

type Request = readonly [path: string, init: RequestInit];
const plain = (path: string): Request => [path, {}];
type Ask = (path: string, init?: RequestInit) => Promise<Asked>;

async function allRefused(ask: Ask, requests: readonly Request[]): Promise<Verdict> {
  for (const [path, init] of requests) {
    const { status } = await ask(path, init);
    if (status < 400) return `${path} answered with HTTP status ${status}`;
    if (status >= 500 && status !== 503) return `${path} failed with HTTP status ${status}`;
  }
  return null;
}

async function noneContains(
  ask: Ask,
  requests: readonly Request[],
  isBad: (text: string) => boolean,
): Promise<Verdict> {
  for (const [path, init] of requests) {
    const { text } = await ask(path, init);
    if (isBad(text)) return `it is in the answer of ${path}`;
  }
  return null;
}

/** Tokens that were never issued. */
function forgedTokens(): string[] {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");
  const claims = part({ sub: "owner", role: "owner", exp: 4_000_000_000 });
  const random = secret();
  return [
    `Token qfp_${random}`,
    `Bearer ${part({ alg: "none", typ: "JWT" })}.${claims}.`,
    `Bearer ${part({ alg: "HS256", typ: "JWT" })}.${claims}.${random}`,
    "Token ",
    `Basic ${Buffer.from("owner:owner").toString("base64")}`,
  ];
}

async function request(url: string, path: string, init: RequestInit = {}): Promise<Asked> {
  const response = await fetch(`${url}${path}`, {
    ...init,
    redirect: "manual",
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  const text = (await response.text()).slice(0, ANSWER_CHARS_MAX);
  return { status: response.status, text, headers: response.headers };
}
