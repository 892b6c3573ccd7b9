import { expect, test } from "bun:test";
import {
  secretOfCookie,
  sessionCookie,
  sessionSecretOf,
} from "../../../src/management/http/session-cookie.ts";

const ORIGIN = "https://qf.example.com";
const SECRET = "s".repeat(43);
const OURS = {
  cookie: `__Host-qf_session=${SECRET}`,
  "x-qf-dashboard": "1",
  "sec-fetch-site": "same-origin",
};

function secretOf(headers: Readonly<Record<string, string | undefined>>): string | null {
  return sessionSecretOf({ origin: ORIGIN, header: (name) => headers[name] });
}

test.each<[what: string, change: Readonly<Record<string, string | undefined>>, counts: boolean]>([
  ["a fetch of our own page", {}, true],
  ["a fetch with our origin as well", { origin: ORIGIN }, true],
  ["a fetch that names our origin only", { origin: ORIGIN, "sec-fetch-site": undefined }, true],
  ["no header of our pages", { "x-qf-dashboard": undefined }, false],
  ["neither origin nor site", { "sec-fetch-site": undefined }, false],
  ["another origin", { origin: "https://evil.example" }, false],
  [
    "another origin that names no site",
    { origin: "https://evil.example", "sec-fetch-site": undefined },
    false,
  ],
  ["a sandboxed page", { origin: "null" }, false],
  ["another site", { "sec-fetch-site": "cross-site" }, false],
  ["another host of our site", { "sec-fetch-site": "same-site" }, false],
  ["an address that was typed", { "sec-fetch-site": "none" }, false],
  ["our origin by plain http", { origin: "http://qf.example.com" }, false],
])("the cookie on %s", (_what, change, counts) => {
  expect(secretOf({ ...OURS, ...change })).toBe(counts ? SECRET : null);
});

test.each([
  ["none", undefined],
  ["another name", `qf_session=${SECRET}`],
  ["twice", `__Host-qf_session=${SECRET}; __Host-qf_session=${SECRET}`],
  ["too short", "__Host-qf_session=abc"],
  ["not ours", `__Host-qf_session=${"s".repeat(42)}"`],
])("a cookie that is %s is no secret", (_what, cookies) => {
  expect(secretOfCookie(cookies)).toBeNull();
});

test("the cookie is read beside others", () => {
  expect(secretOfCookie(`a=b; __Host-qf_session=${SECRET}; c=d`)).toBe(SECRET);
});

test("the cookie is for this host alone, and for no script", () => {
  const parts = sessionCookie(SECRET, 60).split("; ").slice(1).sort();
  expect(parts).toEqual(["HttpOnly", "Max-Age=60", "Path=/", "SameSite=Lax", "Secure"]);
});
