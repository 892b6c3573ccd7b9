/**
 * Script that got into a page of the dashboard: what it cannot do with the pages that sign people in. The
 * person is signed in at the provider as well, so nothing but these pages stands in its way.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { openChromium, openContext, openPage, signInByPage } from "../support/chromium.ts";
import { type Lab, OWNER, openLab } from "../support/lab.ts";
import { isRoot } from "../support/os-accounts.ts";

describe.skipIf(!isRoot)("script in a page of the dashboard", () => {
  let lab: Lab;
  let browser: Browser;
  let context: BrowserContext;
  let page: Page;
  let paths: string[];
  beforeAll(async () => {
    [lab, browser] = await Promise.all([openLab(), openChromium()]);
    context = await openContext(browser);
    ({ page } = await openPage(context));
    await signInByPage(page, lab.url, OWNER, "/account");
    await page.getByRole("heading", { level: 1 }).waitFor();
    // What is shown, of a sign-in that the script itself has begun.
    const terminal = lab.device(OWNER, "script").terminal(["login", "--no-browser"], { BROWSER: "" });
    const [link] = await terminal.expect(/http\S+\/login\/hosted\/[\w-]+/);
    const hosted = new URL(link);
    const silent = new URLSearchParams({
      ...{ client_id: "qf", response_type: "code", scope: "openid", prompt: "none", nonce: "n".repeat(43) },
      ...{ redirect_uri: "http://127.0.0.1:1/callback", state: "s", code_challenge_method: "S256" },
      code_challenge: "c".repeat(43),
    });
    paths = [
      `/idp/auth?${silent}`,
      hosted.pathname,
      "/login/dashboard",
      "/setup/secret",
      "/idp/password/secret",
    ];
  }, 180_000);
  afterAll(async () => {
    await browser?.close();
    await lab?.[Symbol.asyncDispose]();
  });

  test("it reads none of them by fetch, which the server refuses as well", async () => {
    const read = await page.evaluate(
      (all) =>
        Promise.all(
          all.map((path) =>
            fetch(path).then(
              (response) => response.status,
              () => "refused",
            ),
          ),
        ),
      paths,
    );
    expect(read).toEqual(paths.map(() => "refused"));
    const headers = { "sec-fetch-mode": "cors", "sec-fetch-dest": "empty", "sec-fetch-site": "same-origin" };
    for (const path of paths) {
      const { status } = await fetch(lab.url + path, { headers, redirect: "manual" });
      expect([path, status]).toEqual([path, 403]);
    }
  }, 60_000);

  test("it shows none of them in a frame", async () => {
    const shown = await page.evaluate(async (all) => {
      const texts: string[] = [];
      for (const path of all) {
        const frame = document.createElement("iframe");
        const loaded = new Promise((resolve) => {
          frame.onload = resolve;
          frame.onerror = resolve;
        });
        frame.src = path;
        document.body.append(frame);
        await loaded;
        texts.push(frame.contentDocument?.body?.textContent ?? "");
        frame.remove();
      }
      return texts;
    }, paths);
    expect(shown.join("")).toBe("");
  }, 60_000);

  test("it reaches into no window that it opens with one of them", async () => {
    for (const path of paths.slice(0, 3)) {
      const opening = context.waitForEvent("page");
      // By a press of the person's, so that the browser opens it at all.
      await page.evaluate((to) => {
        const button = document.createElement("button");
        button.id = "lure";
        button.style.cssText = "position:fixed;inset:0;z-index:999";
        button.onclick = () => Object.assign(window, { stolen: window.open(to) });
        document.body.append(button);
      }, path);
      await page.click("#lure");
      const opened = await opening;
      await opened.waitForLoadState().catch(() => undefined);
      await page.waitForFunction(() => {
        const { stolen } = window as unknown as { stolen: Window };
        try {
          return stolen.closed || stolen.document.body.textContent === "";
        } catch {
          return true;
        }
      });
      const text = await page.evaluate(() => {
        document.getElementById("lure")?.remove();
        const { stolen } = window as unknown as { stolen: Window };
        try {
          return stolen.closed ? "" : stolen.document.body.textContent;
        } catch {
          return "";
        }
      });
      expect([path, text]).toEqual([path, ""]);
      await opened.close();
    }
  }, 120_000);

  test("it approves no sign-in by a form that nobody has pressed", async () => {
    const { page: other } = await openPage(context);
    await other.goto(`${lab.url}/account`);
    await other.getByRole("heading", { level: 1 }).waitFor();
    const answered = other.waitForResponse((response) => response.request().method() === "POST");
    await other.evaluate((action) => {
      const form = Object.assign(document.createElement("form"), { method: "post", action });
      form.innerHTML = '<input name="action" value="confirm"><input name="csrf" value="x">';
      document.body.append(form);
      form.submit();
    }, paths[1] ?? "");
    expect((await answered).status()).toBe(403);
    await other.close();
  }, 60_000);
});
