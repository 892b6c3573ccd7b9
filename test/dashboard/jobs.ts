/**
 * `make test-dashboard`: the jobs that people come for, each within its presses. A press is a click, a tap or
 * Enter, from any page; typing is free; confirming by a fresh sign-in is not counted.
 */
import { afterAll, beforeAll, expect, test } from "bun:test";
import type { Browser, Page } from "playwright-core";
import { confirmInTab, openChromium, openContext, openPage, signInByPage } from "../support/chromium.ts";
import { settled } from "../support/dashboard-pages.ts";
import { OWNER } from "../support/lab.ts";
import { countPresses, pressesOf } from "../support/presses.ts";
import { openSetUp, type SetUp } from "../support/set-up.ts";

let setUp: SetUp;
let browser: Browser;
let owners: Page;
let adas: Page;
beforeAll(async () => {
  [setUp, browser] = await Promise.all([openSetUp({ accounts: [["jobs"]] }), openChromium()]);
  await setUp.lab.api("POST", "/api/groups", {
    ...{ name: "On call", requestable: true, request_seconds_max: 14_400 },
  });
  owners = await pageOf(OWNER);
  adas = await pageOf(setUp.person);
}, 300_000);
afterAll(async () => {
  await browser?.close();
  await setUp?.[Symbol.asyncDispose]();
});

async function pageOf(who: typeof OWNER): Promise<Page> {
  const context = await openContext(browser);
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  await countPresses(context);
  const { page } = await openPage(context);
  await signInByPage(page, setUp.lab.url, who);
  return page;
}

/** Any page that has nothing to do with the job. */
async function elsewhere(page: Page): Promise<void> {
  await page.goto(`${setUp.lab.url}/account`);
  await settled(page);
}

const menu = (page: Page, name: string) =>
  page.getByRole("navigation", { name: "Pages" }).getByRole("link", { name, exact: true });

test("open a shell on a known machine: 2", async () => {
  await elsewhere(adas);
  const presses = await pressesOf(adas, async () => {
    await menu(adas, "My access").click();
    await adas.getByRole("link", { name: `Open terminal: ${setUp.account.name}@web1` }).click();
    await adas.waitForURL(/\/terminal\/web1/);
  });
  expect(presses).toBeLessThanOrEqual(2);
});

test("find a machine, copy its command: 2", async () => {
  await elsewhere(adas);
  const command = `qf ssh ${setUp.account.name}@web1`;
  const presses = await pressesOf(adas, async () => {
    await menu(adas, "My access").click();
    await adas.getByRole("button", { name: `Copy: ${command}` }).click();
  });
  expect(await adas.evaluate(() => navigator.clipboard.readText())).toBe(command);
  expect(presses).toBeLessThanOrEqual(2);
});

test("learn why somebody cannot be a local user on a machine: 2", async () => {
  await setUp.device.ssh(["root@web1", "true"]);
  await elsewhere(owners);
  const presses = await pressesOf(owners, async () => {
    await menu(owners, "Overview").click();
    await owners
      .getByRole("link", { name: /as root on web1/ })
      .first()
      .click();
    await owners.getByText("denied", { exact: true }).waitFor();
  });
  expect(presses).toBeLessThanOrEqual(2);
});

test("add a machine: 4", async () => {
  await elsewhere(owners);
  const presses = await pressesOf(owners, async (uncounted) => {
    await menu(owners, "Machines").click();
    await owners.getByRole("main").getByRole("link", { name: "Add a machine" }).click();
    await owners.getByRole("textbox", { name: "Filter groups" }).pressSequentially("serv");
    await owners.keyboard.press("Enter");
    await owners.getByText("QF_SETUP_KEY=").waitFor();
    await uncounted(async () => {
      const copied = await owners.evaluate(() => navigator.clipboard.readText());
      const setupKey = /QF_SETUP_KEY=(\S+)/.exec(copied)?.[1] ?? "";
      await setUp.lab.startAgent("web2", { setupKey });
    });
    await owners.getByText("is connected.").waitFor();
    await owners.getByRole("link", { name: "Open a terminal" }).click();
    await owners.waitForURL(/\/terminal\/web2/);
  });
  expect(presses).toBeLessThanOrEqual(4);
}, 120_000);

test("ask for access for a while: 3; decide about it: 2", async () => {
  await elsewhere(adas);
  const asked = await pressesOf(adas, async () => {
    await menu(adas, "My access").click();
    await adas.getByRole("button", { name: "Ask for On call" }).click();
    await adas.getByRole("textbox", { name: "Reason" }).fill("night shift");
    await adas.getByRole("button", { name: "Ask", exact: true }).click();
    await adas.getByRole("table", { name: "My requests" }).getByText("waiting").waitFor();
  });
  expect(asked).toBeLessThanOrEqual(3);
  await owners.goto(`${setUp.lab.url}/overview`);
  const decided = await pressesOf(owners, async () => {
    await owners.getByRole("link", { name: /asks for the group On call/ }).click();
    await owners.getByRole("dialog").getByText("night shift").waitFor();
    await owners.getByRole("dialog").getByRole("button", { name: "Approve" }).click();
    await owners.getByText("approved", { exact: true }).waitFor();
  });
  expect(decided).toBeLessThanOrEqual(2);
});

test("end a session: 3", async () => {
  const shell = setUp.device.terminal(["ssh", `${setUp.account.name}@web1`]);
  await shell.expect(/[$#] /);
  await elsewhere(owners);
  const presses = await pressesOf(owners, async () => {
    await menu(owners, "Sessions").click();
    await owners.getByRole("button", { name: /^End the session of ada/ }).click();
    await owners.getByRole("textbox", { name: "Reason" }).fill("maintenance");
    await owners.getByRole("button", { name: "End session" }).click();
    await shell.expect(/ended this session: maintenance/);
  });
  expect(presses).toBeLessThanOrEqual(3);
  await shell.end();
});

test("change the groups of all that match: 4", async () => {
  await elsewhere(owners);
  const presses = await pressesOf(owners, async () => {
    await menu(owners, "Machines").click();
    await owners.getByRole("searchbox").first().fill("web");
    await owners.getByRole("checkbox", { name: "Select all" }).click();
    await owners.getByRole("button", { name: "Groups", exact: true }).click();
    await owners.getByRole("textbox", { name: "Filter groups" }).pressSequentially("devel");
    await owners.keyboard.press("Enter");
    await owners.getByRole("row").filter({ hasText: "web1" }).getByText("Developers").waitFor();
  });
  expect(presses).toBeLessThanOrEqual(4);
});

test("change a rule knowing its effect: 4", async () => {
  await elsewhere(owners);
  const presses = await pressesOf(owners, async (uncounted) => {
    await menu(owners, "Policies").click();
    await owners.getByRole("link", { name: "devs" }).first().click();
    await owners.getByRole("textbox", { name: "As local users" }).pressSequentially("www,");
    await owners.getByText(/[1-9]\d* gained\./).waitFor();
    const save = owners.getByRole("button", { name: "Save", exact: true });
    await save.click();
    const confirm = owners.getByRole("link", { name: "Sign in again to confirm it" });
    await owners.waitForURL(/\/policies$/).catch(() => undefined);
    if (await confirm.isVisible()) await uncounted(() => confirmInTab(owners, OWNER));
  });
  expect(presses).toBeLessThanOrEqual(4);
});

test("who was on a machine that day: 3", async () => {
  await elsewhere(owners);
  const today = new Date().toISOString().slice(0, 10);
  const presses = await pressesOf(owners, async () => {
    await menu(owners, "Sessions").click();
    await owners.getByRole("link", { name: "History" }).click();
    await owners.getByRole("textbox", { name: "Machine" }).fill("web1");
    await owners.getByLabel("From", { exact: false }).first().fill(today);
    await owners.getByRole("textbox", { name: "Machine" }).press("Enter");
    await owners.waitForURL(/machine=web1/);
    const rows = owners.getByRole("table", { name: "Sessions that have ended" }).getByRole("row");
    await rows.filter({ hasText: "ada@example.com" }).first().waitFor();
  });
  expect(presses).toBeLessThanOrEqual(3);
});
