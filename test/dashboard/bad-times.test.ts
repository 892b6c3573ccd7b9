/** Pages when something goes wrong: what is said, and what is kept. One set-up and one browser for all. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { Browser, BrowserContext, Page } from "playwright-core";
import type { Peer } from "../../src/wire/admin-peers.ts";
import type { Policy } from "../../src/wire/policy.ts";
import { openChromium, openContext, openPage, signInAtProvider, signInByPage } from "../support/chromium.ts";
import { OWNER, type Person } from "../support/lab.ts";
import { overflowIn320 } from "../support/narrow-page.ts";
import { isRoot } from "../support/os-accounts.ts";
import { openSetUp, type SetUp } from "../support/set-up.ts";
import { until } from "../support/until.ts";

const LONG = "x".repeat(256);
/** Of a query that fails (`src/dashboard/main.tsx`). */
const RETRIES = 2;
const MANY = 10_000;
const ARABIC = "خادم الويب 🏗️";

describe.skipIf(!isRoot)("the dashboard in bad times", () => {
  let setUp: SetUp;
  let browser: Browser;
  let context: BrowserContext;
  let page: Page;
  beforeAll(async () => {
    [setUp, browser] = await Promise.all([
      openSetUp({ policies: [{ logins: ["deploy"] }], devices: {} }),
      openChromium(),
    ]);
    context = await openContext(browser);
    ({ page } = await openPage(context));
    await signInByPage(page, setUp.lab.url, OWNER, "/machines");
    await page.getByRole("link", { name: "web1" }).waitFor();
  }, 180_000);
  afterAll(async () => {
    await browser?.close();
    await setUp?.[Symbol.asyncDispose]();
  });

  const open = async (path: string): Promise<void> => {
    await page.goto(setUp.lab.url + path);
    await page.getByRole("heading", { level: 1 }).waitFor();
  };
  const machine = async (): Promise<Peer> => {
    const peers = await setUp.lab.api<Peer[]>("GET", "/api/peers");
    const found = peers.find(({ kind }) => kind === "machine");
    if (found === undefined) throw new Error("there is no machine");
    return found;
  };
  const rename = async (peer: Peer, name: string): Promise<void> => {
    const { ssh_enabled, login_expiration_enabled, inactivity_expiration_enabled } = peer;
    const body = { name, ssh_enabled, login_expiration_enabled, inactivity_expiration_enabled };
    await setUp.lab.api("PUT", `/api/peers/${peer.id}`, body);
  };
  const description = () => page.getByRole("textbox", { name: "Description", exact: true });
  const openPolicy = async (): Promise<void> => {
    const [policy] = await setUp.lab.api<Policy[]>("GET", "/api/policies");
    await open(`/policies/${policy?.id}`);
    await description().waitFor();
  };

  test("that the session ends soon is said, and one press puts it off", async () => {
    const ending = { seconds_left: 240, may_extend: true };
    const body = `data: ${JSON.stringify({ kinds: [], ending })}\n\n`;
    const other = await context.newPage();
    const live = "**/api/live";
    await other.route(live, (route) => route.fulfill({ contentType: "text/event-stream", body }), {
      times: 1,
    });
    await other.goto(`${setUp.lab.url}/machines`);
    await other.getByText("You are signed out in 4 minutes").waitFor();
    expect(await overflowIn320(other)).toEqual([]);
    const asked = other.waitForResponse((response) => response.url().endsWith("/api/web-sessions"));
    await other.getByRole("button", { name: "Stay signed in" }).click();
    expect((await asked).status()).toBe(200);
    await other.getByText("You are signed out in").waitFor({ state: "detached" });
    await other.close();
  }, 60_000);

  test("a session that ends in the middle of an edit says so, and the edit is there after signing in", async () => {
    await openPolicy();
    await description().fill("not lost");
    // From elsewhere: signing out in this browser clears what it has stored.
    for (const { id } of await setUp.lab.api<{ id: string }[]>("GET", "/api/web-sessions")) {
      await setUp.lab.api("DELETE", `/api/web-sessions/${id}`);
    }
    await page.getByRole("alertdialog", { name: "Your session is over" }).waitFor();
    await page.getByRole("button", { name: "Sign in", exact: true }).click();
    await signInAtProvider(page, OWNER);
    await description().waitFor();
    expect(await description().inputValue()).toBe("not lost");
    await page.getByRole("button", { name: "Discard it" }).click();
  }, 120_000);

  test("a lost network is said, a save then says so, and the page goes on when it is back", async () => {
    await openPolicy();
    await description().fill("while away");
    await page.getByText("nobody's access changes").waitFor();
    await context.setOffline(true);
    await page.getByRole("button", { name: "Save", exact: true }).click();
    await page.getByText("The server cannot be reached.").first().waitFor();
    expect(await description().inputValue()).toBe("while away");
    await context.setOffline(false);
    await page.getByText("nobody's access changes").waitFor();
    await page.getByRole("button", { name: "Save", exact: true }).click();
    await page.waitForURL(/\/policies$/);
  }, 120_000);

  test("a management that was restarted is found again by itself", async () => {
    await open("/machines");
    await page.getByRole("link", { name: "web1" }).waitFor();
    await setUp.lab.management?.stop();
    await page.getByText("Reconnecting…").waitFor();
    await page.getByRole("link", { name: "web1" }).waitFor();
    await setUp.lab.serveManagement();
    await page.getByText("Reconnecting…").waitFor({ state: "detached" });
    await page.getByText("connected", { exact: true }).first().waitFor();
  }, 120_000);

  test("what was read stays while it cannot be read again", async () => {
    await open("/machines");
    await page.getByRole("link", { name: "web1" }).waitFor();
    let failed = 0;
    await page.route("**/api/peers*", (route) => {
      failed++;
      return route.abort();
    });
    const peer = await machine();
    await rename(peer, "web1-renamed");
    await until(() => failed > RETRIES);
    await page.evaluate(
      () => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))),
    );
    await page.getByRole("link", { name: "web1" }).waitFor();
    await page.unroute("**/api/peers*");
    await rename(peer, "web1");
  }, 120_000);

  test("what cannot be read is said, and is not taken for nothing", async () => {
    const error = { code: 503, error: "ERR_UNAVAILABLE", message: "the database is away" };
    for (const [path, address, untrue] of [
      ["/overview", /\/api\/users$/, "Nothing waits for you."],
      ["/overview", /\/api\/setup-keys$/, "Nothing waits for you."],
      ["/", /\/api\/sessions\?/, "You are not on any machine now."],
      ["/", /\/api\/access\/requests\?/, "You have made no request."],
      ["/groups", /\/api\/users$/, "Developers"],
      ["/start", /\/api\/policies$/, "Skip for now"],
      ["/policies/new", /\/api\/groups$/, "A draft, not in force."],
    ] as const) {
      await page.route(address, (call) => call.fulfill({ status: 503, json: error }));
      await page.goto(setUp.lab.url + path);
      await page.getByRole("button", { name: "Try again" }).first().waitFor();
      expect([path, await page.getByText(untrue).count()]).toEqual([path, 0]);
      await page.unroute(address);
    }
  }, 120_000);

  test("names of 256 characters, right to left and with emoji stay inside, also in 320 pixels", async () => {
    const peer = await machine();
    for (const name of [LONG, ARABIC]) {
      await rename(peer, name);
      for (const path of ["/machines", `/machines/${peer.id}`, "/overview"]) {
        await open(path);
        if (path !== "/overview") await page.getByText(name).first().waitFor();
        expect([path, await overflowIn320(page)]).toEqual([path, []]);
      }
    }
    await rename(peer, "web1");
  }, 120_000);

  test("a clock that is ten minutes off dates nothing into the future, and nothing ends by it", async () => {
    const { page: other } = await openPage(context);
    await other.clock.setFixedTime(Date.now() - 10 * 60_000);
    await other.goto(`${setUp.lab.url}/overview`);
    await other.getByRole("heading", { level: 1, name: "Overview" }).waitFor();
    await other.getByText("Nothing waits for you.").or(other.getByText("setup key")).first().waitFor();
    await other.close();
  }, 120_000);

  test("a browser that stores nothing for the page still edits", async () => {
    const { page: other, complaints } = await openPage(context);
    await other.addInitScript(() => {
      const refuse = (): never => {
        throw new DOMException("denied", "SecurityError");
      };
      for (const name of ["localStorage", "sessionStorage", "indexedDB"]) {
        Object.defineProperty(window, name, { get: refuse, configurable: true });
      }
    });
    await other.goto(`${setUp.lab.url}/policies/new`);
    await other.getByRole("textbox", { name: "Name", exact: true }).fill("kept in memory");
    await other.getByText("A draft, not in force.").waitFor();
    await other.goto(`${setUp.lab.url}/policies/file`);
    await other.getByRole("textbox", { name: "Policy file" }).waitFor();
    expect(complaints.filter((one) => one.startsWith("error"))).toEqual([]);
    await other.close();
  }, 120_000);

  test("10,000 machines are counted, chosen, scrolled and filtered, with only a window's rows in the page", async () => {
    const peer = await machine();
    const { page: other, complaints } = await openPage(context);
    const many = Array.from({ length: MANY }, (_, at) => {
      const name = `many${String(at).padStart(5, "0")}`;
      return { ...peer, id: `peer${String(at).padStart(16, "0")}`, name, dns_label: `${name}.qf.internal` };
    });
    await other.route("**/api/peers", (route) => route.fulfill({ json: many }));
    await other.goto(`${setUp.lab.url}/machines`);
    await other.getByText("10,000 in all").waitFor();
    const rows = other.getByRole("table", { name: "Machines" }).locator("tbody tr[data-index]");
    await rows.first().waitFor();
    const window = (): Promise<number> => rows.count();
    expect(await window()).toBeLessThan(100);
    await other.getByRole("checkbox", { name: "Select all" }).click();
    await other.getByText("10,000 selected").waitFor();
    // A row that stays follows its own selection, and the end of the list is there.
    await rows.first().getByRole("checkbox").click();
    await other.getByText("9,999 selected").waitFor();
    expect(await rows.first().getByRole("checkbox").isChecked()).toBe(false);
    expect(await rows.nth(1).getByRole("checkbox").isChecked()).toBe(true);
    await other
      .locator("[data-scroller]")
      .evaluate((scroller) => scroller.scrollTo(0, scroller.scrollHeight));
    await other.getByRole("link", { name: "many09999" }).waitFor();
    expect(await window()).toBeLessThan(100);
    await other.getByRole("searchbox", { name: "Filter machines" }).fill("many0123");
    await other.getByText("10 of 10,000").waitFor();
    await other.getByRole("link", { name: "many01239" }).waitFor();
    expect(complaints).toEqual([]);
    await other.close();
  }, 120_000);

  test("a right that is taken away while one looks takes its pages away", async () => {
    const admin: Person = await setUp.lab.createPerson("admin@example.com");
    const setRole = (role: string) =>
      setUp.lab.api("PUT", `/api/users/${admin.id}`, { role, auto_groups: [], is_blocked: false });
    await setRole("admin");
    await using own = await openContext(browser);
    const { page: other } = await openPage(own);
    await signInByPage(other, setUp.lab.url, admin, "/machines");
    await other.getByRole("link", { name: "Add a machine" }).waitFor();
    await setRole("user");
    await other.getByRole("link", { name: "Add a machine" }).waitFor({ state: "detached" });
    const pages = other.getByRole("navigation", { name: "Pages" }).getByRole("link");
    await other.getByRole("link", { name: "Settings" }).waitFor({ state: "detached" });
    expect(await pages.allTextContents()).not.toContain("Policies");
  }, 120_000);

  test("a machine that is removed while its page is open says so", async () => {
    const peer = await machine();
    await open(`/machines/${peer.id}`);
    await setUp.lab.api("DELETE", `/api/peers/${peer.id}`);
    await page.getByText("This machine is gone").waitFor();
    await page.getByRole("link", { name: "All machines" }).click();
    await page.getByText("No machine yet").waitFor();
  }, 120_000);
});
