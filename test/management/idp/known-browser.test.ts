import { expect, test } from "bun:test";
import { createKnownBrowsers } from "../../../src/management/idp/known-browser.ts";

const ada = { subject: "a", passwordHash: "$argon2id$1" };
const bob = { subject: "b", passwordHash: "$argon2id$2" };
const NOW = 1_795_000_000;
const DAY = 86_400;
const browsers = createKnownBrowsers(["key"], "https://qf.example.com");
const cookie = browsers.cookieFor(ada, NOW).split(";", 1)[0] ?? "";

test("a browser is known for the person who signed in there", () => {
  expect(browsers.find(`a=b; ${cookie}; c=d`, ada, NOW + 1)).toMatch(/^[\w-]{22}$/);
  expect(browsers.cookieFor(ada, NOW)).toEndWith(
    "; Path=/idp; Max-Age=15552000; HttpOnly; SameSite=Lax; Secure",
  );
});

test.each<[name: string, cookies: string | undefined, person: typeof ada, now: number]>([
  ["no cookie", undefined, ada, NOW],
  ["somebody else", cookie, bob, NOW],
  [
    "somebody else under their name",
    `${browsers.cookieFor(bob, NOW).split("=")[0]}=${cookie.split("=")[1]}`,
    bob,
    NOW,
  ],
  ["a changed password", cookie, { ...ada, passwordHash: "$argon2id$3" }, NOW],
  ["half a year", cookie, ada, NOW + 180 * DAY],
  [
    "another signing key",
    createKnownBrowsers(["other"], "https://x").cookieFor(ada, NOW).split(";")[0],
    ada,
    NOW,
  ],
  ["a later date", cookie.replace(String(NOW), String(NOW + DAY)), ada, NOW],
  ["no signature", cookie.replace(/\.[^.]*$/, "."), ada, NOW],
])("a browser is not known with %s", (_name, cookies, person, now) => {
  expect(browsers.find(cookies, person, now)).toBeNull();
});
