import { expect, test } from "bun:test";
import { linkFailure } from "../../src/base/link-failure.ts";

const webSocket = (said: string, code?: string) =>
  Object.assign(new Error(`WebSocket connection to 'wss://qf.example.com/' failed: ${said}`), { code });
const status = (code: number) => webSocket(`Expected 101 status code: ${code}`);

test.each([
  {
    name: "nobody listens",
    cause: webSocket("Failed to connect", "ECONNREFUSED"),
    says: "refused",
    isAway: true,
  },
  {
    name: "an unknown name",
    cause: webSocket("Failed to connect", "ENOTFOUND"),
    says: "unknown host",
    isAway: true,
  },
  { name: "no answer", cause: new DOMException("late", "TimeoutError"), says: "no answer", isAway: true },
  {
    name: "an authority of its own",
    cause: { code: "SELF_SIGNED_CERT_IN_CHAIN" },
    says: "not trusted",
    fix: "SSL_CERT_FILE",
    isAway: false,
  },
  {
    name: "a chain that leads nowhere",
    cause: { code: "UNABLE_TO_VERIFY_LEAF_SIGNATURE" },
    says: "not trusted",
    fix: "SSL_CERT_FILE",
    isAway: false,
  },
  {
    name: "another name",
    cause: { code: "ERR_TLS_CERT_ALTNAME_INVALID" },
    says: "another name",
    fix: "the name that is in",
    isAway: false,
  },
  {
    name: "an old certificate",
    cause: { code: "CERT_HAS_EXPIRED" },
    says: "expired",
    fix: "renew",
    isAway: false,
  },
  {
    name: "a proxy without WebSockets",
    cause: status(426),
    says: "does not pass WebSockets",
    fix: "Upgrade",
    isAway: false,
  },
  { name: "a proxy alone", cause: status(502), says: "proxy in front", fix: "wait", isAway: true },
  {
    name: "somebody else's server",
    cause: status(404),
    says: "takes no WebSocket",
    fix: "check that the URL",
    isAway: false,
  },
  { name: "a redirect", cause: { code: "UnexpectedRedirect" }, says: "redirect", isAway: false },
  {
    name: "a code that nobody knows",
    cause: { code: "constructor" },
    says: "the connection failed",
    isAway: false,
  },
  { name: "nothing", cause: undefined, says: "the connection failed", isAway: false },
])("linkFailure names $name", ({ cause, says, fix, isAway }) => {
  const failure = linkFailure(cause);
  expect(failure.message).toContain(says);
  if (fix === undefined) expect(failure.fix).toBeUndefined();
  else expect(failure.fix).toContain(fix);
  expect(failure.isAway).toBe(isAway);
});
