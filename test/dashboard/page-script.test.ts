/**
 * Script that got into a page of the dashboard: what it cannot do with the pages that sign people in. The
 * person is signed in at the provider as well, so nothing but these pages stands in its way.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { openChromium, openContext, openPage, signInByPage } from "../support/chromium.ts";
import { DASHBOARD_ORIGINS, moveDashboard } from "../support/dashboard-origins.ts";
import { type Lab, OWNER, openLab } from "../support/lab.ts";
import { isRoot } from "../support/os-accounts.ts";

describe.skipIf(!isRoot).each(DASHBOARD_ORIGINS)(
  "script in a page of the dashboard, %s",
  (_where, argsFor) => {
    let lab: Lab;
    /** Where the dashboard is. */
    let own: string;
    let browser: Browser;
    let context: BrowserContext;
    let page: Page;
    let urls: string[];
    beforeAll(async () => {
      [lab, browser] = await Promise.all([openLab(), openChromium()]);
      own = await moveDashboard(lab, argsFor(lab.url));
      context = await openContext(browser);
      ({ page } = await openPage(context));
      await signInByPage(page, own, OWNER, "/account");
      expect(new URL(page.url()).origin).toBe(own);
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
      const pages = [`/idp/auth?${silent}`, hosted.pathname, "/setup/secret", "/idp/password/secret"];
      urls = [...pages.map((path) => lab.url + path), `${own}/login/dashboard`];
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
        urls,
      );
      expect(read).toEqual(urls.map(() => "refused"));
      const headers = {
        "sec-fetch-mode": "cors",
        "sec-fetch-dest": "empty",
        "sec-fetch-site": "same-origin",
      };
      for (const url of urls) {
        const { status } = await fetch(url, { headers, redirect: "manual" });
        expect([url, status]).toEqual([url, 403]);
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
      }, urls);
      expect(shown.join("")).toBe("");
    }, 60_000);

    test("it reaches into no window that it opens with one of them", async () => {
      for (const url of urls.slice(0, 3)) {
        const opening = context.waitForEvent("page");
        // By a press of the person's, so that the browser opens it at all.
        await page.evaluate((to) => {
          const button = document.createElement("button");
          button.id = "lure";
          button.style.cssText = "position:fixed;inset:0;z-index:999";
          button.onclick = () => Object.assign(window, { stolen: window.open(to) });
          document.body.append(button);
        }, url);
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
        expect([url, text]).toEqual([url, ""]);
        await opened.close();
      }
    }, 120_000);

    test("it approves no sign-in by a form that nobody has pressed", async () => {
      const { page: other } = await openPage(context);
      await other.goto(`${own}/account`);
      await other.getByRole("heading", { level: 1 }).waitFor();
      const refused = other.waitForResponse((response) => response.request().method() === "POST");
      // Its policy lets it send forms to its own origin only.
      const stopped = other.waitForEvent("console", (message) => message.text().includes("form-action"));
      const answered = Promise.any([refused.then((response) => response.status()), stopped.then(() => 403)]);
      await other.evaluate((action) => {
        const form = Object.assign(document.createElement("form"), { method: "post", action });
        form.innerHTML = '<input name="action" value="confirm"><input name="csrf" value="x">';
        document.body.append(form);
        form.submit();
      }, urls[1] ?? "");
      expect(await answered).toBe(403);
      await other.close();
    }, 60_000);

    test("its host has none of the pages that sign people in, where there is another for them", async () => {
      const headers = { accept: "text/html", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document" };
      for (const url of urls.slice(0, 4)) {
        const here = own + url.slice(lab.url.length);
        const { status } = await fetch(here, { headers, redirect: "manual" });
        expect([here, status === 404 ? "nothing" : "answered"]).toEqual([
          here,
          own === lab.url ? expect.anything() : "nothing",
        ]);
      }
    }, 60_000);
  },
);
