/** The dashboard in a browser: signing in, coming back, what each role sees, and signing out. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { Browser } from "playwright-core";
import type { Peer } from "../../src/wire/admin-peers.ts";
import { openChromium, openContext, openPage, signInAtProvider, signInByPage } from "../support/chromium.ts";
import { OWNER } from "../support/lab.ts";
import { isRoot } from "../support/os-accounts.ts";
import { openSetUp, type SetUp } from "../support/set-up.ts";

describe.skipIf(!isRoot)("the dashboard", () => {
  let setUp: SetUp;
  let browser: Browser;
  beforeAll(async () => {
    [setUp, browser] = await Promise.all([openSetUp({ accounts: [["dash"]] }), openChromium()]);
  }, 180_000);
  afterAll(async () => {
    await browser?.close();
    await setUp?.[Symbol.asyncDispose]();
  });

  test("an owner signs in from a deep link, finds the machine, acts on it, and signs out", async () => {
    await using context = await openContext(browser);
    const { page, complaints } = await openPage(context);
    await signInByPage(page, setUp.lab.url, OWNER, "/machines?q=web");
    expect(new URL(page.url()).search).toBe("?q=web");
    await page.getByRole("link", { name: "web1" }).click();
    await page.getByRole("heading", { level: 1, name: "web1" }).waitFor();
    await page.getByRole("button", { name: "Actions" }).click();
    await page.getByRole("menuitem", { name: "Rename" }).click();
    await page.getByRole("textbox", { name: "Name" }).fill("web1 renamed");
    await page.getByRole("button", { name: "Rename" }).click();
    await page.getByRole("heading", { level: 1, name: "web1 renamed" }).waitFor();
    await page.getByRole("button", { name: "owner" }).click();
    await page.getByRole("menuitem", { name: "Sign out" }).click();
    await page.getByRole("link", { name: "Sign in to the dashboard" }).waitFor();
    expect((await context.cookies()).filter(({ name }) => name === "__Host-qf_session")).toEqual([]);
    expect(complaints).toEqual([]);
  }, 120_000);

  test("a plain user sees their own access, and no page of the account", async () => {
    await using context = await openContext(browser);
    const { page, complaints } = await openPage(context);
    await page.goto(setUp.lab.url);
    await page.getByRole("link", { name: "Sign in to the dashboard" }).click();
    await page.getByText("the dashboard, in this browser").waitFor();
    await signInAtProvider(page, setUp.person);
    await page.getByRole("heading", { level: 1, name: "My access" }).waitFor();
    await page.getByText(setUp.account.name, { exact: true }).waitFor();
    const pages = page.getByRole("navigation", { name: "Pages" }).getByRole("link");
    expect(await pages.allTextContents()).toEqual(["My access", "Requests"]);
    expect(complaints).toEqual([]);
  }, 120_000);

  test("a change elsewhere appears by itself; a session that is ended says so and leads back", async () => {
    await using context = await openContext(browser);
    const { page } = await openPage(context);
    await signInByPage(page, setUp.lab.url, OWNER, "/machines");
    await page.getByRole("checkbox", { name: "Select", exact: true }).waitFor();
    const peers = await setUp.lab.api<Peer[]>("GET", "/api/peers");
    const machine = peers.find(({ kind }) => kind === "machine");
    const { ssh_enabled, login_expiration_enabled, inactivity_expiration_enabled } = machine as Peer;
    await setUp.lab.api("PUT", `/api/peers/${machine?.id}`, {
      ...{ ssh_enabled, login_expiration_enabled, inactivity_expiration_enabled },
      name: "web1 live",
    });
    await page.getByRole("link", { name: "web1 live" }).waitFor();
    await page.evaluate(async () => {
      const headers = { "x-qf-dashboard": "1" };
      await fetch("/api/web-sessions/current", { method: "DELETE", headers });
    });
    await page.getByRole("button", { name: "Sign in", exact: true }).click();
    await signInAtProvider(page, OWNER);
    await page.getByRole("checkbox", { name: "Select", exact: true }).waitFor();
    expect(new URL(page.url()).pathname).toBe("/machines");
  }, 120_000);

  test("another page's script cannot begin a sign-in, nor use the session", async () => {
    const begun = await fetch(`${setUp.lab.url}/login/dashboard`, {
      headers: { "sec-fetch-mode": "cors", "sec-fetch-dest": "empty" },
      redirect: "manual",
    });
    expect(begun.status).toBe(403);
  });
});
