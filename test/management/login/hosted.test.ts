/** The hosted sign-in: a terminal opens it, a browser approves it, the terminal claims it. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isQfError } from "../../../src/base/errors.ts";
import type { HostedClaimRequest, HostedLoginRequest } from "../../../src/wire/hosted-login-api.ts";
import { createBrowser, formsOf, textOfId } from "../../support/browser.ts";
import { ADA, startTestManagement, type TestManagement } from "../../support/running-management.ts";
import { openSignedClient, type SignedClient, walkForms } from "../../support/signed-client.ts";

const folder = mkdtempSync(join(tmpdir(), "qf-test-"));
let management: TestManagement;

beforeAll(async () => {
  management = await startTestManagement(join(folder, "data"));
  await management.addPerson(ADA);
});

afterAll(async () => {
  await management.close();
  rmSync(folder, { recursive: true, force: true });
});

async function openHosted(change: Partial<HostedLoginRequest> = {}) {
  const client = await openSignedClient(management.url);
  const opened = await client.api.openHosted({
    loginKey: client.loginKey.publicKey,
    deviceName: "laptop",
    target: "web1",
    localUser: "deploy",
    fresh: true,
    ...change,
  });
  const claim = (request: Partial<HostedClaimRequest> = {}) =>
    client.api.claimHosted(opened.id, { pollSecret: opened.pollSecret, ...request });
  return { client, opened, claim };
}

async function codeOf(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => "no error",
    (error: unknown) => (isQfError(error) ? error.code : String(error)),
  );
}

/** Confirms and signs in; returns the page with the code. */
async function approve(url: string, who = ADA) {
  const browser = createBrowser();
  return walkForms(browser, await browser.open(url), who);
}

describe("a hosted sign-in", () => {
  test("shows what it is for, then a code that is typed back and makes a login", async () => {
    const { client, opened, claim } = await openHosted();
    expect(opened.url).toBe(`${management.url}/login/hosted/${opened.id}`);
    const browser = createBrowser();
    const page = await browser.open(opened.url);
    for (const shown of ["laptop", "127.0.0.1", "web1", "deploy"]) expect(page.text).toContain(shown);
    expect(page.headers.get("content-security-policy")).toContain("frame-ancestors 'none'");
    expect(page.text).not.toContain("<script");
    expect(await claim()).toEqual({ status: "waiting" });
    expect(await claim({ code: "AAAA-AAAA" })).toEqual({ status: "waiting" });
    const signIn = await browser.submit(page, {}, "confirm");
    expect(signIn.url).toContain("/idp/interaction/");
    expect(signIn.text).toContain("laptop");
    const last = await browser.submit(signIn, ADA);
    const code = textOfId(last, "code") ?? "";
    expect(code).toMatch(/^[2-9A-HJKMNP-Z]{4}-[2-9A-HJKMNP-Z]{4}$/);
    expect(await claim()).toEqual({ status: "waiting" });
    const answer = await claim({ code: code.toLowerCase().replace("-", " ") });
    if (answer.status !== "approved") throw new Error(answer.status);
    expect(answer.proof.kind).toBe("id_token");
    expect((await client.register(answer.proof)).user.email).toBe(ADA.email);
    expect(await codeOf(claim({ code }))).toBe("ERR_NOT_FOUND");
    const events = await management.events();
    expect(events.some((event) => event.activity_code === "login.hosted.approve")).toBe(true);
  });

  test("takes five wrong codes and then none", async () => {
    const { opened, claim } = await openHosted();
    const page = await approve(opened.url);
    for (const triesLeft of [4, 3, 2, 1, 0]) {
      expect(await claim({ code: "WRNG-CODE" })).toEqual({ status: "wrong_code", triesLeft });
    }
    expect(await claim({ code: textOfId(page, "code") ?? "" })).toEqual({ status: "denied" });
  });

  test("needs the poll secret of who opened it", async () => {
    const { opened } = await openHosted();
    const page = await approve(opened.url);
    const other = await openHosted();
    const request = { pollSecret: other.opened.pollSecret, code: textOfId(page, "code") ?? "" };
    expect(await codeOf(other.client.api.claimHosted(opened.id, request))).toBe("ERR_NOT_FOUND");
  });

  test("hands a proof out that is worth nothing without the login key", async () => {
    const { opened, claim } = await openHosted();
    const answer = await claim({ code: textOfId(await approve(opened.url), "code") ?? "" });
    if (answer.status !== "approved") throw new Error(answer.status);
    const thief: SignedClient = await openSignedClient(management.url);
    expect(await codeOf(thief.register(answer.proof))).toBe("ERR_TOKEN_INVALID");
  });

  test("can be denied on the page, and at the provider", async () => {
    const first = await openHosted();
    const browser = createBrowser();
    await browser.submit(await browser.open(first.opened.url), {}, "deny");
    expect(await first.claim()).toEqual({ status: "denied" });
    const second = await openHosted();
    const signIn = await browser.submit(await browser.open(second.opened.url), {}, "confirm");
    const refused = await browser.submit(signIn, {}, "deny");
    expect(refused.text).toContain("refused");
    expect(await second.claim()).toMatchObject({ status: "denied", message: "the sign-in was refused" });
  });

  test("is answered once", async () => {
    const { opened } = await openHosted();
    await approve(opened.url);
    const again = await createBrowser().open(opened.url);
    expect(again.status).toBe(404);
  });

  test("takes a form only from the browser that was shown it", async () => {
    const { opened } = await openHosted();
    const own = createBrowser();
    const csrf = formsOf(await own.open(opened.url))[0]?.fields.csrf ?? "";
    const cookieOf = ({ jar }: typeof own) =>
      [...jar.entries()].map(([key, one]) => `${key.split(" ")[2]}=${one.value}`).join("; ");
    const post = (headers: Record<string, string>) =>
      fetch(opened.url, {
        method: "POST",
        redirect: "manual",
        headers,
        body: new URLSearchParams({ csrf, action: "confirm" }),
      });
    expect((await post({})).status).toBe(403);
    const other = createBrowser();
    await other.open(opened.url);
    expect((await post({ cookie: cookieOf(other) })).status).toBe(403);
    const cookie = cookieOf(own);
    expect((await post({ cookie, origin: "https://evil.example" })).status).toBe(403);
    expect((await post({ cookie, "sec-fetch-site": "cross-site" })).status).toBe(403);
    expect((await post({ cookie })).status).toBe(303);
  });

  test("takes the provider's answer only in the browser that went there", async () => {
    const { opened, claim } = await openHosted();
    const walker = createBrowser({ stopAt: (url) => url.includes("/login/callback?") });
    const callback = await walkForms(walker, await walker.open(opened.url), ADA);
    expect(callback.url).toContain("/login/callback?");
    expect((await createBrowser().open(callback.url)).status).toBe(403);
    expect(await claim()).toEqual({ status: "waiting" });
  });

  test("needs no code where the account asks for a click, and signs in anew when asked to", async () => {
    await management.changeSettings({ login_confirmation: "click", prompt_login: false });
    const browser = createBrowser();
    const first = await openHosted({ fresh: false });
    expect(first.opened.confirmation).toBe("click");
    const done = await walkForms(browser, await browser.open(first.opened.url), ADA);
    expect(textOfId(done, "code")).toBeUndefined();
    expect((await first.claim()).status).toBe("approved");
    const second = await openHosted({ fresh: false });
    const confirm = await browser.submit(await browser.open(second.opened.url), {}, "confirm");
    expect(confirm.text).toContain("Confirm the sign-in");
    const third = await openHosted({ fresh: true });
    const form = await browser.submit(await browser.open(third.opened.url), {}, "confirm");
    expect(form.text).toContain('name="password"');
    await management.changeSettings({});
  });

  test("escapes what the terminal says of itself", async () => {
    const { opened } = await openHosted({ target: `<img src=x onerror="alert(1)">'&` });
    const page = await createBrowser().open(opened.url);
    expect(page.text).not.toContain("<img");
    expect(page.text).toContain("&lt;img");
  });

  test("of one source are bounded in number", async () => {
    const results: string[] = [];
    for (let i = 0; i < 60; i++) results.push(await codeOf(openHosted()));
    expect(results.at(-1)).toBe("ERR_TOO_MANY");
  });
});
