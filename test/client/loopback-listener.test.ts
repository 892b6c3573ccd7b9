/** The listener that a browser comes back to: what other users here, and other browsers, cannot do. */
import { afterEach, expect, test } from "bun:test";
import { STYLE } from "../../src/base/page-style.ts";
import { type Callback, type CallbackOptions, openCallback } from "../../src/client/loopback-listener.ts";

const STATE = "s".repeat(43);
const PROVIDER = "https://idp.example.com/authorize?state=x";
const opened: Callback[] = [];
afterEach(() => {
  for (const callback of opened.splice(0)) callback.close();
});

function open(change: Partial<CallbackOptions> = {}) {
  const callback = openCallback({ port: 0, state: STATE, ...change });
  opened.push(callback);
  const answers: string[] = [];
  callback.wait(new AbortController().signal).then((answer) => {
    answers.push(answer.url.search);
    answer.succeed();
  });
  const begin = callback.begin(PROVIDER);
  const get = (url: string, headers: Record<string, string> = {}) =>
    fetch(url, { headers, redirect: "manual" });
  const cookieOf = (response: Response) => response.headers.get("set-cookie")?.split(";", 1)[0] ?? "";
  const back = (query: string) => `${callback.redirectUri}?${query}`;
  return { begin, get, cookieOf, back, answers };
}

test("the page gives one browser a cookie and sends it on; that browser comes back", async () => {
  const { begin, get, cookieOf, back, answers } = open();
  const page = await get(begin);
  expect([page.status, page.headers.get("location")]).toEqual([303, PROVIDER]);
  expect(page.headers.get("set-cookie")).toMatch(/; Path=\/; Max-Age=330; HttpOnly; SameSite=Lax$/);
  const cookie = cookieOf(page);
  // Loaded again by the same browser it still leads on.
  expect((await get(begin, { cookie: `other=1; ${cookie}` })).status).toBe(303);
  expect((await get(back(`state=${STATE}&code=c`), { cookie: `other=1; ${cookie}` })).status).toBe(200);
  expect(answers).toEqual([`?state=${STATE}&code=c`]);
  expect((await get(back(`state=${STATE}&code=c`), { cookie })).status).toBe(404);
});

test("a second browser gets no cookie and ends nothing", async () => {
  const { begin, get, cookieOf, back, answers } = open();
  const cookie = cookieOf(await get(begin));
  const second = await get(begin);
  expect([second.status, second.headers.get("set-cookie")]).toEqual([410, null]);
  expect(answers).toEqual([]);
  expect((await get(back(`state=${STATE}&code=c`), { cookie })).status).toBe(200);
});

test.each([
  ["a code without the cookie", `state=${STATE}&code=theirs`, ""],
  ["an error without the cookie", `state=${STATE}&error=access_denied`, ""],
  ["an error with another cookie", `state=${STATE}&error=access_denied`, `${"A".repeat(43)}`],
  ["a code with an empty cookie", `state=${STATE}&code=theirs`, "empty"],
])("%s changes nothing, though the state is right", async (_name, query, value) => {
  const { begin, get, cookieOf, back, answers } = open();
  const cookie = cookieOf(await get(begin));
  const name = cookie.split("=")[0];
  const headers = value === "" ? {} : { cookie: `${name}=${value === "empty" ? "" : value}` };
  expect((await get(back(query), headers as Record<string, string>)).status).toBe(404);
  expect(answers).toEqual([]);
  expect((await get(back(`state=${STATE}&code=ours`), { cookie })).status).toBe(200);
  expect(answers).toEqual([`?state=${STATE}&code=ours`]);
});

test("another user of the machine can neither begin the sign-in nor end it", async () => {
  let uid = 4_242;
  const { begin, get, cookieOf, back, answers } = open({ uidOf: () => uid });
  expect((await get(begin)).status).toBe(404);
  uid = process.getuid?.() ?? 0;
  const cookie = cookieOf(await get(begin));
  uid = 4_242;
  expect((await get(back(`state=${STATE}&error=access_denied`), { cookie })).status).toBe(404);
  expect(answers).toEqual([]);
});

test.each<[name: string, uid: number | null]>([
  ["root, which forwards ports into a container", 0],
  ["a user that the system does not tell", null],
])("%s is answered", async (_name, uid) => {
  const { begin, get } = open({ uidOf: () => uid });
  expect((await get(begin)).status).toBe(303);
});

test("a name that leads here is not ours, and the page cannot be guessed", async () => {
  const { begin, get, back } = open();
  expect((await get(begin, { host: `rebound.example:${new URL(begin).port}` })).status).toBe(404);
  expect((await get(new URL("/sign-in/", begin).href)).status).toBe(404);
  expect((await get(back(""))).status).toBe(404);
});

test("two sign-ins at once have cookies of different names", async () => {
  const [one, two] = [open(), open()];
  const names = [one.cookieOf(await one.get(one.begin)), two.cookieOf(await two.get(two.begin))];
  expect(new Set(names.map((cookie) => cookie.split("=")[0])).size).toBe(2);
});

test("its pages have the design of management's, and run no script", async () => {
  const { begin, get, cookieOf, back } = open();
  const cookie = cookieOf(await get(begin));
  for (const page of [await get(begin), await get(back(`state=${STATE}&code=c`), { cookie })]) {
    const policy = page.headers.get("content-security-policy") ?? "";
    expect(policy).toContain("default-src 'none'");
    expect(policy).not.toContain("unsafe-inline");
    expect(page.headers.get("referrer-policy")).toBe("no-referrer");
    const text = await page.text();
    expect(text).toContain(STYLE);
    expect(text).toMatch(/<title>[^<]+ - QuFabric<\/title>/);
    expect(text).not.toContain("<script");
  }
});
