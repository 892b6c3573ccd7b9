/**
 * `make test-dashboard`: pages of another origin in the browser of a person who is signed in, with the
 * dashboard beside the pages that sign people in and on an origin of its own. One of them is of the same
 * site: the browser sends the dashboard's cookies with everything that it asks for.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { WATCH_PROTOCOL } from "../../src/wire/session-watch.ts";
import {
  TERMINAL_PROTOCOL,
  TERMINAL_RELAY_PATH,
  TERMINAL_TICKETS_PATH,
} from "../../src/wire/terminal-page.ts";
import { openChromium, openContext, openPage, signInByPage } from "../support/chromium.ts";
import { DASHBOARD_ORIGINS, moveDashboard } from "../support/dashboard-origins.ts";
import { OWNER } from "../support/lab.ts";
import type { LabTerminal } from "../support/lab-terminal.ts";
import { isRoot } from "../support/os-accounts.ts";
import { openSetUp, type SetUp } from "../support/set-up.ts";
import { shows, signInToTerminal, type } from "../support/terminal-page.ts";
import { until } from "../support/until.ts";

const SITES = [
  ["of the same site", (own: string) => new URL(own).hostname],
  ["of another site", (own: string) => (new URL(own).hostname === "localhost" ? "127.0.0.1" : "localhost")],
] as const satisfies readonly (readonly [string, (own: string) => string])[];

/** Of `fetch`. */
interface Try {
  readonly method?: string;
  readonly mode?: "no-cors";
  readonly headers?: Record<string, string>;
  readonly body?: string;
}

/** What a browser shows in the place of a page that may not be framed. */
const NO_PAGE = "chrome-error://chromewebdata/";

describe.skipIf(!isRoot).each(DASHBOARD_ORIGINS)("with the dashboard %s", (_where, argsFor) => {
  const isApart = argsFor("http://127.0.0.1:1").length > 0;
  let setUp: SetUp;
  /** Where the dashboard is. */
  let own: string;
  let browser: Browser;
  let context: BrowserContext;
  let owners: Page;
  let server: Bun.Server<undefined>;
  let shell: LabTerminal;
  /** A live recorded session. */
  let session: string;
  beforeAll(async () => {
    [setUp, browser] = await Promise.all([
      openSetUp({
        accounts: [["lure", "--create-home", "--shell", "/bin/bash"]],
        policies: [{ rule: { ssh: { record: "best_effort" } } }],
      }),
      openChromium(),
    ]);
    own = await moveDashboard(setUp.lab, argsFor(setUp.lab.url));
    server = Bun.serve({
      ...{ port: 0, hostname: "127.0.0.1" },
      fetch: () =>
        new Response("<!doctype html><title>lure</title>", { headers: { "content-type": "text/html" } }),
    });
    shell = setUp.device.terminal(["ssh", "-t", `${setUp.account.name}@web1`]);
    await shell.expect(/[$#] /);
    session = await setUp.lab.until("the live session", async () => {
      const live = await setUp.lab.api<{ id: string }[]>("GET", "/api/sessions?state=live");
      return live[0]?.id;
    });
    context = await openContext(browser);
    ({ page: owners } = await openPage(context));
    await signInByPage(owners, own, OWNER, "/account");
    await owners.getByRole("heading", { level: 1, name: "My account" }).waitFor();
  }, 300_000);
  afterAll(async () => {
    shell?.process.kill();
    await browser?.close();
    await server?.stop(true);
    await setUp?.[Symbol.asyncDispose]();
  });

  /** The person's own page still has its session. */
  const isSignedIn = async (): Promise<boolean> => {
    await owners.goto(`${own}/account`);
    return owners
      .getByRole("heading", { level: 1, name: "My account" })
      .waitFor()
      .then(() => true);
  };
  const groupNames = async (): Promise<string[]> =>
    (await setUp.lab.api<{ name: string }[]>("GET", "/api/groups")).map(({ name }) => name);
  /** A ticket of the person's own page. */
  const ticketFor = (path: string, body?: string): Promise<string> =>
    owners.evaluate(
      async ([url, text]) => {
        const headers = { "x-qf-dashboard": "1" };
        const init = { method: "POST", headers, ...(text === null ? {} : { body: text }) };
        return ((await (await fetch(url, init)).json()) as { ticket: string }).ticket;
      },
      [path, body ?? null] as const,
    );

  describe.each(SITES)("a page %s", (_site, hostOf) => {
    let page: Page;
    beforeAll(async () => {
      ({ page } = await openPage(context));
    });
    afterAll(() => page?.close());
    const openLure = () => page.goto(`http://${hostOf(own)}:${server.port}/`);

    test("sends no form that counts", async () => {
      const before = await groupNames();
      const json = '{"name":"taken","peers":[],"x":"';
      const forms: [string, string, string, string][] = [
        [`${own}/api/groups`, "text/plain", json, '"}'],
        [`${own}/api/groups`, "application/x-www-form-urlencoded", "name", "taken"],
        [`${own}${TERMINAL_TICKETS_PATH}`, "text/plain", "A".repeat(43), ""],
        [`${own}/api/sessions/${session}/watch`, "text/plain", "a", ""],
        [`${own}/api/sessions/${session}/kill`, "text/plain", '{"reason":"', '"}'],
        [
          `${setUp.lab.url}/login/hosted/abcdefghijklmnopqrstuvwxyz`,
          "multipart/form-data",
          "action",
          "confirm",
        ],
        [`${setUp.lab.url}/setup/secret`, "application/x-www-form-urlencoded", "email", "me@example.com"],
        [`${own}/login/dashboard`, "application/x-www-form-urlencoded", "to", "/"],
      ];
      for (const [action, enctype, name, value] of forms) {
        await openLure();
        const answered = page.waitForResponse((response) => response.request().method() === "POST");
        await page.evaluate(
          (form) => {
            const element = Object.assign(document.createElement("form"), { method: "post", ...form });
            element.append(
              Object.assign(document.createElement("input"), { name: form.name, value: form.value }),
            );
            element.removeAttribute("name");
            document.body.append(element);
            element.submit();
          },
          { action, enctype, name, value },
        );
        const status = (await answered).status();
        await page.waitForURL((url) => url.href.startsWith(action));
        expect([action, status >= 401 && status <= 415 ? "refused" : status]).toEqual([action, "refused"]);
      }
      expect(await groupNames()).toEqual(before);
      expect(await isSignedIn()).toBe(true);
    }, 120_000);

    test("reads and changes nothing by fetch", async () => {
      const before = await groupNames();
      await openLure();
      const tries: [string, Try][] = [
        [`${own}/api/users`, {}],
        [`${own}/api/users`, { headers: { "x-qf-dashboard": "1" } }],
        [`${own}/api/users`, { mode: "no-cors" }],
        [`${own}/api/live`, {}],
        [`${own}/`, {}],
        [`${own}/login/dashboard`, {}],
        [`${setUp.lab.url}/idp/auth?client_id=qf&prompt=none`, {}],
        [`${own}/api/groups`, { method: "POST", body: '{"name":"taken"}' }],
        [`${own}/api/groups`, { method: "POST", body: '{"name":"taken"}', mode: "no-cors" }],
        [
          `${own}/api/groups`,
          {
            method: "POST",
            body: '{"name":"taken"}',
            headers: { "x-qf-dashboard": "1", "content-type": "application/json" },
          },
        ],
        [`${own}/api/web-sessions/current`, { method: "DELETE", headers: { "x-qf-dashboard": "1" } }],
        [`${own}${TERMINAL_TICKETS_PATH}`, { method: "POST", body: "A".repeat(43) }],
      ];
      const read = await page.evaluate(
        (all) =>
          Promise.all(
            all.map(([url, init]) =>
              fetch(url, { ...init, credentials: "include" }).then(
                async (response) => (response.type === "opaque" ? "" : await response.text()),
                () => "",
              ),
            ),
          ),
        tries,
      );
      expect(read).toEqual(tries.map(() => ""));
      expect(await groupNames()).toEqual(before);
      expect(await isSignedIn()).toBe(true);
    }, 60_000);

    test("shows no page of it in a frame", async () => {
      await openLure();
      const paths = ["/", "/account", "/machines", "/terminal/web1", "/docs/"];
      const urls = [...paths.map((path) => own + path), `${setUp.lab.url}/idp/auth?client_id=qf`];
      for (const url of urls) {
        await page.evaluate((src) => {
          document.body.replaceChildren(Object.assign(document.createElement("iframe"), { src }));
        }, url);
        await until(() => page.frames().some((frame) => frame.url() === NO_PAGE));
      }
    }, 60_000);

    test.each(["iframe", "embed"])(
      "is given no answer of the API in an element %s",
      async (tag) => {
        await openLure();
        for (const path of ["/api/users", "/api/groups", "/api/live", `/api/sessions/${session}`]) {
          const answered = page.waitForResponse(own + path);
          await page.evaluate(
            ([name, src]) => {
              document.body.replaceChildren(Object.assign(document.createElement(name), { src }));
            },
            [tag, own + path] as const,
          );
          expect([path, (await answered).status()]).toEqual([path, 401]);
        }
        for (const frame of page.frames()) expect(await frame.content()).not.toContain(OWNER.email);
        expect(await isSignedIn()).toBe(true);
      },
      60_000,
    );

    test("has no hold on a window that it opens with it", async () => {
      for (const path of ["/account", `/terminal/web1?as=${setUp.account.name}`, "/login/dashboard"]) {
        await openLure();
        await page.evaluate((to) => {
          const button = Object.assign(document.createElement("button"), { id: "lure", textContent: "win" });
          button.onclick = () => Object.assign(window, { opened: window.open(to) });
          document.body.append(button);
        }, own + path);
        const opening = context.waitForEvent("page");
        await page.click("#lure");
        const opened = await opening;
        await opened.getByRole("heading", { level: 1 }).waitFor();
        expect(await opened.evaluate(() => window.opener)).toBeNull();
        // The browser tells the lure that it is closed, and gives it nothing of it.
        await page.waitForFunction(() => (window as unknown as { opened: Window }).opened.closed);
        await opened.close();
      }
    }, 120_000);

    test("opens no WebSocket with the person's session, not even with a ticket of theirs", async () => {
      const watch = `/api/sessions/${session}/watch`;
      const socket = own.replace("http", "ws");
      const opens = (of: Page, url: string, protocols: readonly string[]): Promise<boolean> =>
        of.evaluate(
          ([to, names]) =>
            new Promise<boolean>((resolve) => {
              const opened = new WebSocket(to, [...names]);
              opened.onopen = () => {
                resolve(true);
                opened.close();
              };
              opened.onclose = () => resolve(false);
            }),
          [url, protocols] as const,
        );
      const hello = Buffer.from("QUFABRIC/1 x").toString("base64url");
      const ofTerminal = [TERMINAL_PROTOCOL, `ticket.${"A".repeat(43)}`, `hello.${hello}`, "proof.A"];
      await openLure();
      expect(await opens(page, socket + TERMINAL_RELAY_PATH, ofTerminal)).toBe(false);
      const ticket = await ticketFor(watch);
      expect(await opens(page, socket + watch, [WATCH_PROTOCOL, `ticket.${ticket}`])).toBe(false);
      // The same ticket, from where it belongs.
      expect(await opens(owners, socket + watch, [WATCH_PROTOCOL, `ticket.${ticket}`])).toBe(true);
    }, 60_000);

    test("leads to a terminal that connects nothing and types nothing by itself", async () => {
      const sockets: string[] = [];
      page.on("websocket", (opened) => sockets.push(opened.url()));
      const live = () => setUp.lab.api<{ id: string }[]>("GET", "/api/sessions?state=live");
      const before = (await live()).length;
      await openLure();
      await page.evaluate((href) => {
        const link = Object.assign(document.createElement("a"), { id: "link", href, textContent: "look" });
        document.body.append(link);
      }, `${own}/terminal/web1?as=${setUp.account.name}&command=id#id`);
      await page.click("#link");
      await page.getByRole("link", { name: "Sign in", exact: true }).waitFor();
      expect(sockets).toEqual([]);
      expect((await live()).length).toBe(before);
    }, 60_000);
  });

  test.skipIf(!isApart)(
    "a terminal signs in, opens, and takes what is typed",
    async () => {
      await using person = await openContext(browser);
      const { page, complaints } = await openPage(person);
      await signInByPage(page, own, setUp.person, `/terminal/web1?as=${setUp.account.name}`);
      expect(new URL(page.url()).origin).toBe(own);
      await signInToTerminal(page, setUp);
      await type(page, "echo $((6*7))-$USER\n");
      await shows(page, `42-${setUp.account.name}`);
      expect(complaints).toEqual([]);
    },
    120_000,
  );

  test.skipIf(!isApart)(
    "a session is watched",
    async () => {
      shell.type("echo before-$((1 + 1))\r");
      await shell.expect(/before-2/);
      await owners.goto(`${own}/sessions/${session}`);
      await owners.getByRole("table", { name: "Recordings" }).getByRole("link", { name: "Watch" }).click();
      await shows(owners, "before-2");
      shell.type("echo after-$((1 + 1))\r");
      await shows(owners, "after-2");
    },
    120_000,
  );
});
