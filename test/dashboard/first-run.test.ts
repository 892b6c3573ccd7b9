/** First run by keyboard alone: from the set-up link to the first login on a first machine. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { Browser, Page } from "playwright-core";
import { confirmInTab, openChromium, openContext, openPage } from "../support/chromium.ts";
import { type Lab, OWNER, openLab } from "../support/lab.ts";
import { isRoot, OsAccount } from "../support/os-accounts.ts";
import { tabTo } from "../support/tab-to.ts";

describe.skipIf(!isRoot)("first run", () => {
  let lab: Lab;
  let browser: Browser;
  let page: Page;
  let complaints: string[];
  let account: OsAccount;
  beforeAll(async () => {
    [lab, browser] = await Promise.all([openLab({ start: false }), openChromium()]);
    account = new OsAccount("first");
    await lab.serveManagement();
    ({ page, complaints } = await openPage(await openContext(browser)));
  }, 180_000);
  afterAll(async () => {
    await browser?.close();
    await lab?.[Symbol.asyncDispose]();
    account?.[Symbol.dispose]();
  });

  /** Whatever a step has, it is reached by Tab and pressed by Enter. */
  const press = async (name: string): Promise<void> => {
    await tabTo(page, name);
    await page.keyboard.press("Enter");
  };
  /** A page's first field has the focus by itself, but not before the page is drawn. */
  const focusedField = () => page.locator("input:focus").waitFor();
  const step = (title: string) => page.getByRole("heading", { level: 2, name: title }).waitFor();

  test("the set-up link leads to the first step", async () => {
    const link = /http\S+\/setup\/\S+/.exec(lab.managementLog())?.[0] ?? "";
    await page.goto(link);
    await focusedField();
    await page.keyboard.type(OWNER.email);
    await page.keyboard.press("Tab");
    await page.keyboard.type(OWNER.password);
    await page.keyboard.press("Enter");
    lab.token = (await page.locator("#token").textContent()) ?? "";
    await press("Open the dashboard");
    await page.getByLabel("Password").waitFor();
    await focusedField();
    await page.keyboard.type(OWNER.email);
    await page.keyboard.press("Tab");
    await page.keyboard.type(OWNER.password);
    await page.keyboard.press("Enter");
    await step("Name your organisation");
  }, 120_000);

  test("the organisation is named; a machine is added, and appears by itself", async () => {
    await page.keyboard.type("Acme 🏗️");
    await press("Save and go on");
    await step("Signing in");
    await page.getByText("Acme 🏗️").first().waitFor();
    await press("Next");
    await press("Make the line");
    const line = (await page.getByText("QF_SETUP_KEY=").textContent()) ?? "";
    await lab.startAgent("web1", { setupKey: /QF_SETUP_KEY=(\S+)/.exec(line)?.[1] ?? "" });
    await page.getByText("is connected.").waitFor();
    await press("Next");
  }, 120_000);

  test("inviting is skipped, and found again later", async () => {
    await step("Invite others");
    await press("Skip for now");
    await step("Say who may log in");
    await page.goBack();
    await press("Invite a person");
    await page.getByRole("dialog").waitFor();
    await page.keyboard.type("ada@example.com");
    await page.keyboard.press("Enter");
    await confirmInTab(page, OWNER);
    expect(complaints.splice(0)).toEqual([expect.stringContaining("403")]);
    await press("Invite");
    await page.getByText("/idp/password/").waitFor();
    await press("Done");
    await page.getByText("ada@example.com: invited").waitFor();
    await press("Next");
  }, 120_000);

  test("the first of three policies lets the owner in, which is seen as it happens", async () => {
    await step("Say who may log in");
    await tabTo(page, "Local users they may be");
    await page.keyboard.type(`${account.name},`);
    await page.getByText(`Administrators may log in as ${account.name} on every machine`).waitFor();
    await press("Put it in force");
    await page.getByText("Administrators on every machine").waitFor();
    await press("Next");
    const device = lab.device(OWNER, "laptop");
    await device.login();
    await lab.until("the owner to be let in", async () => {
      const { exitCode } = await device.ssh([`${account.name}@web1`, "true"]);
      return exitCode === 0;
    });
    await page.getByText("Somebody has logged in.").waitFor();
    await press("To the overview");
    await page.getByRole("heading", { level: 1, name: "Overview" }).waitFor();
    // All is done, so nothing of it is left on the overview.
    await page.getByText("Nothing waits for you.").waitFor();
    expect(await page.getByText("First steps").count()).toBe(0);
    expect(complaints).toEqual([]);
  }, 120_000);
});
