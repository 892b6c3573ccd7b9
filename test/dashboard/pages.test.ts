/** Each page in a browser: usable by everybody as far as axe sees, also in a narrow window; and its job. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { violationsOf } from "../support/axe.ts";
import { confirmInTab, openChromium, openContext, openPage, signInByPage } from "../support/chromium.ts";
import { DASHBOARD_PAGES } from "../support/dashboard-pages.ts";
import { OWNER } from "../support/lab.ts";
import { overflowIn320 } from "../support/narrow-page.ts";
import { isRoot } from "../support/os-accounts.ts";
import { aReleaseKey, writeRelease } from "../support/release.ts";
import { openSetUp, type SetUp } from "../support/set-up.ts";

describe.skipIf(!isRoot)("pages of the dashboard", () => {
  let setUp: SetUp;
  let browser: Browser;
  let context: BrowserContext;
  let page: Page;
  let complaints: string[];
  beforeAll(async () => {
    [setUp, browser] = await Promise.all([openSetUp({ accounts: [["page"]] }), openChromium()]);
    context = await openContext(browser);
    ({ page, complaints } = await openPage(context));
    await signInByPage(page, setUp.lab.url, OWNER);
  }, 180_000);
  afterAll(async () => {
    await browser?.close();
    await setUp?.[Symbol.asyncDispose]();
  });

  const open = async (path: string): Promise<void> => {
    await page.goto(setUp.lab.url + path);
    await page.getByRole("heading", { level: 1 }).waitFor();
    await page.waitForFunction(() => document.querySelector('[aria-label="Loading"]') === null);
  };

  test.each(DASHBOARD_PAGES)(
    "%s keeps nobody out, in both themes, and fits 320 pixels",
    async (path) => {
      for (const colorScheme of ["light", "dark"] as const) {
        await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
        await open(path);
        expect([colorScheme, await violationsOf(page)]).toEqual([colorScheme, []]);
      }
      expect(await overflowIn320(page)).toEqual([]);
      expect(complaints.splice(0)).toEqual([]);
    },
    120_000,
  );

  test("a person is invited once that is confirmed in a tab of its own, by a link that is shown once", async () => {
    await open("/people");
    await page.getByRole("button", { name: "Invite a person" }).click();
    await page.getByRole("textbox", { name: "E-mail" }).fill("grace@example.com");
    await page.getByRole("checkbox", { name: "Developers" }).click();
    await page.getByRole("button", { name: "Invite", exact: true }).click();
    await confirmInTab(page, OWNER);
    expect(complaints.splice(0)).toEqual([expect.stringContaining("403")]);
    await page.getByRole("button", { name: "Invite", exact: true }).click();
    await page.getByText("/idp/password/").waitFor();
    await page.getByRole("button", { name: "Done" }).click();
    await page.getByRole("row").filter({ hasText: "grace@example.com" }).getByText("invited").waitFor();
  }, 120_000);

  test("a policy file is applied only after its difference was shown; a mistake is a sentence", async () => {
    await open("/policies/file");
    const file = page.getByRole("textbox", { name: "Policy file" });
    const text = await file.inputValue();
    await file.fill(`${text}\n\tnot yaml`);
    await page.getByRole("button", { name: "Show what it changes" }).click();
    await page.getByRole("alert").waitFor();
    await file.fill(
      text.replace("enabled: true", "enabled: false").replace(/^policies:/m, "# kept\npolicies:"),
    );
    await page.reload();
    expect(await file.inputValue()).toContain("# kept");
    await page.getByRole("button", { name: "Show what it changes" }).click();
    await page
      .getByRole("button", { name: /^Apply/ })
      .or(page.getByText("nothing would change"))
      .waitFor();
  }, 120_000);

  test("a question about access is answered rule by rule, and stands in the address", async () => {
    await open("/access");
    await page.getByRole("textbox", { name: "Person" }).fill("ada@example.com");
    await page.getByRole("textbox", { name: "Machine" }).fill("web1");
    await page.getByRole("textbox", { name: "Local user" }).fill("root");
    await page.getByRole("button", { name: "Ask" }).click();
    await page.getByText("denied", { exact: true }).waitFor();
    expect(new URL(page.url()).searchParams.get("as")).toBe("root");
    await page.getByRole("textbox", { name: "Local user" }).fill(setUp.account.name);
    await page.getByRole("button", { name: "Ask" }).click();
    await page.getByText("allowed", { exact: true }).waitFor();
  }, 120_000);

  test("the audit log is filtered at the server, and an event shown whole", async () => {
    await open("/audit");
    await page.getByRole("textbox", { name: /^Activity/ }).fill("dashboard.login");
    await page.getByRole("button", { name: "Filter" }).click();
    await page.waitForURL(/activity=dashboard.login/);
    const rows = page.getByRole("table", { name: "Audit events" }).getByRole("row");
    await rows.nth(1).waitFor();
    expect(await rows.filter({ hasText: "dashboard.login" }).count()).toBe((await rows.count()) - 1);
    await page.getByRole("button", { name: "Details" }).first().click();
    await page.getByRole("dialog").getByText("Number").waitFor();
    await page.keyboard.press("Escape");
  }, 120_000);

  test("a live session appears by itself, and ending it takes three clicks and a reason", async () => {
    await open("/sessions");
    const shell = setUp.device.terminal(["ssh", `${setUp.account.name}@web1`]);
    await shell.expect(/[$#] /);
    const live = page.getByRole("table", { name: "Live sessions" }).getByRole("row");
    await live.filter({ hasText: "ada@example.com" }).filter({ hasText: "shell" }).waitFor();
    await open("/machines");
    // One, two, three: from any page.
    await page.getByRole("navigation").getByRole("link", { name: "Sessions" }).click();
    await page.getByRole("button", { name: /^End the session of ada@example.com/ }).click();
    await page.getByRole("textbox", { name: "Reason" }).fill("maintenance");
    expect(await violationsOf(page)).toEqual([]);
    await page.getByRole("button", { name: "End session" }).click();
    await shell.expect(/ended this session: maintenance/);
    expect(await shell.end()).toBe(255);
    await page.getByText("Nobody is on").waitFor();
  }, 120_000);

  test("the history is filtered in the address, exported, and each session shown whole", async () => {
    const ended = () => setUp.lab.api<unknown[]>("GET", "/api/sessions?state=ended&machine=web1");
    const before = (await ended()).length;
    await setUp.device.ssh([`${setUp.account.name}@web1`, "echo seen; exit 3"]);
    // The agent's record comes a moment after the command; the first row would be an earlier session's.
    await setUp.lab.until("the session in the history", async () => (await ended()).length > before);
    complaints.splice(0);
    await open("/sessions?show=history&machine=web1");
    const rows = page.getByRole("table", { name: "Sessions that have ended" }).getByRole("row");
    await rows.nth(1).waitFor();
    const downloading = page.waitForEvent("download");
    await page.getByRole("button", { name: "Export CSV" }).click();
    const csv = readFileSync(await (await downloading).path(), "utf8");
    expect(csv.split("\r\n")[1]).toContain(`ada@example.com`);
    await rows.getByRole("link", { name: "ada@example.com" }).first().click();
    await page.getByRole("heading", { level: 1, name: "ada@example.com on web1" }).waitFor();
    await page.getByRole("table", { name: "What ran" }).getByText("echo seen; exit 3").waitFor();
    for (const colorScheme of ["light", "dark"] as const) {
      await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
      await page.reload();
      await page.getByRole("table", { name: "What ran" }).waitFor();
      expect([colorScheme, await violationsOf(page)]).toEqual([colorScheme, []]);
    }
    expect(await overflowIn320(page)).toEqual([]);
    await page.goto(`${setUp.lab.url}/sessions?show=history&machine=web2`);
    await page.getByText("No session matches").waitFor();
    expect(complaints.splice(0)).toEqual([]);
  }, 120_000);

  test("an auditor sees a session and ends none; its person ends it from their first page", async () => {
    const shell = setUp.device.terminal(["ssh", `${setUp.account.name}@web1`]);
    await shell.expect(/[$#] /);
    const bob = await setUp.lab.createPerson("bob@example.com");
    await setUp.lab.setGroups(bob, [], { role: "auditor" });
    await using auditor = await openContext(browser);
    const { page: bobs } = await openPage(auditor);
    await signInByPage(bobs, setUp.lab.url, bob, "/sessions");
    await bobs.getByRole("table", { name: "Live sessions" }).getByText("shell").waitFor();
    expect(await bobs.getByRole("button", { name: /^End / }).count()).toBe(0);
    await bobs.goto(`${setUp.lab.url}/rollouts`);
    await bobs.getByText("No rollout yet").waitFor();
    expect(await bobs.getByRole("button", { name: "New rollout" }).count()).toBe(0);
    await bobs.goto(`${setUp.lab.url}/machines`);
    await bobs.getByRole("link", { name: "web1" }).first().click();
    await bobs.getByRole("link", { name: "ada@example.com" }).waitFor();
    expect(await violationsOf(bobs)).toEqual([]);
    await using person = await openContext(browser);
    const { page: adas } = await openPage(person);
    await signInByPage(adas, setUp.lab.url, setUp.person);
    await adas.getByRole("button", { name: "End your session on web1" }).click();
    await adas.getByRole("button", { name: "End session" }).click();
    await shell.expect(/you ended this session/);
    await adas.getByText("You are not on any machine now.").waitFor();
    expect(await shell.end()).toBe(255);
  }, 120_000);

  test("many things are chosen, acted on at once, and told of", async () => {
    await open("/setup-keys");
    await page.getByRole("checkbox", { name: "Select all" }).click();
    await page.getByRole("toolbar").getByRole("button", { name: "Revoke" }).click();
    await page.getByRole("alertdialog").getByRole("button", { name: "Revoke" }).click();
    await page
      .getByText(/setup keys? revoked\./)
      .first()
      .waitFor();
    await page.getByRole("toolbar").waitFor({ state: "detached" });
    const keys = await setUp.lab.api<{ revoked: boolean }[]>("GET", "/api/setup-keys");
    expect(keys.every(({ revoked }) => revoked)).toBe(true);
    await open("/machines");
    await page.getByRole("checkbox", { name: "Select", exact: true }).first().click();
    await page.getByRole("button", { name: "Groups", exact: true }).click();
    await page.getByRole("dialog").getByRole("checkbox", { name: "Developers" }).click();
    await page.getByRole("button", { name: "Put them in" }).click();
    await page.getByRole("row").filter({ hasText: "web1" }).getByText("Developers").waitFor();
  }, 120_000);

  test("a group is asked for on the first page; approved for less after a fresh sign-in, and ended", async () => {
    await open("/groups");
    await page.getByRole("button", { name: "New group" }).click();
    const dialog = page.getByRole("dialog", { name: "New group" });
    await dialog.getByRole("textbox", { name: "Name" }).fill("On call");
    await dialog.getByRole("button", { name: "Create" }).click();
    await page.getByRole("button", { name: "Edit On call" }).click();
    await page.getByRole("switch", { name: "People may ask to be in it for a while" }).click();
    await page.getByRole("textbox", { name: "For at most" }).fill("2h");
    expect(await violationsOf(page)).toEqual([]);
    await page.getByRole("button", { name: "Save", exact: true }).click();
    await page.getByText("for at most 2h").waitFor();
    await using person = await openContext(browser);
    const { page: adas } = await openPage(person);
    await signInByPage(adas, setUp.lab.url, setUp.person);
    await adas.getByRole("button", { name: "Ask for On call" }).click();
    await adas.getByRole("textbox", { name: "Reason" }).fill("night shift");
    expect(await violationsOf(adas)).toEqual([]);
    await adas.getByRole("button", { name: "Ask", exact: true }).click();
    await adas.getByRole("table", { name: "My requests" }).getByText("waiting").waitFor();

    await using another = await openContext(browser);
    const { page: owners } = await openPage(another);
    await signInByPage(owners, setUp.lab.url, OWNER, "/requests");
    const rows = owners.getByRole("table", { name: "Requests that wait for you" }).getByRole("row");
    await rows.getByRole("link", { name: "the group On call" }).click();
    await owners.getByText("night shift").waitFor();
    expect(await overflowIn320(owners)).toEqual([]);
    // The page has been open for long.
    const error = { code: 403, error: "ERR_REAUTH_REQUIRED", message: "this takes a fresh sign-in" };
    await owners.route("**/decision", (route) => route.fulfill({ status: 403, json: error }), { times: 1 });
    await owners.getByRole("button", { name: "Approve" }).click();
    await owners.getByRole("dialog").getByRole("button", { name: "Approve" }).click();
    await owners.getByRole("dialog", { name: "Sign in again" }).waitFor();
    expect(await violationsOf(owners)).toEqual([]);
    await owners.getByRole("button", { name: "Go to sign-in" }).click();
    await owners.getByLabel("E-mail").fill(OWNER.email);
    await owners.getByLabel("Password").fill(OWNER.password);
    await owners.getByRole("button", { name: "Sign in" }).click();
    const approve = owners.getByRole("dialog", { name: "Approve this request?" });
    await approve.getByRole("textbox", { name: "For" }).fill("30m");
    await approve.getByText(/From now on, so until .*\d\d:\d\d:\d\d .*At most 2h/).waitFor();
    expect(await violationsOf(owners)).toEqual([]);
    await approve.getByRole("button", { name: "Approve" }).click();
    await owners.getByText("approved", { exact: true }).waitFor();
    await adas.getByRole("table", { name: "My requests" }).getByText("approved").waitFor();
    await adas.getByText("You are in it until").waitFor();
    await owners.getByRole("button", { name: "End", exact: true }).click();
    await owners.getByRole("button", { name: "End access" }).click();
    await owners.getByText("an approver took it back").waitFor();
    await adas.getByRole("table", { name: "My requests" }).getByText("ended").waitFor();
  }, 240_000);

  test("a request has the earlier ones like it, and leads to the next that waits", async () => {
    const groupId = await setUp.lab.createGroup("On duty");
    const { lab } = setUp;
    await lab.api("PUT", `/api/groups/${groupId}`, {
      ...{ name: "On duty", requestable: true, request_seconds_max: 3_600 },
    });
    await using person = await openContext(browser);
    const { page: adas } = await openPage(person);
    await signInByPage(adas, lab.url, setUp.person);
    const ask = async (reason: string): Promise<void> => {
      await adas.getByRole("button", { name: "Ask for On duty" }).click();
      await adas.getByRole("textbox", { name: "Reason" }).fill(reason);
      await adas.getByRole("button", { name: "Ask", exact: true }).click();
      await adas.getByRole("table", { name: "My requests" }).getByText(reason).waitFor();
    };
    await ask("first night");
    await adas.getByRole("link", { name: "the group On duty" }).click();
    await adas.getByRole("button", { name: "Take back" }).click();
    await adas.getByRole("alertdialog").getByRole("button", { name: "Take back" }).click();
    await adas.getByText("cancelled", { exact: true }).waitFor();
    await adas.goto(`${lab.url}/`);
    await ask("second night");
    await adas.getByRole("row").filter({ hasText: "second night" }).getByRole("link").click();
    const earlier = adas.getByRole("listitem").filter({ hasText: "first night" });
    await earlier.getByText("cancelled").waitFor();
    expect(await violationsOf(adas)).toEqual([]);
    expect(await overflowIn320(adas)).toEqual([]);
  }, 120_000);

  test("a view of a list is saved by name, with its columns; what follows a minus is left out", async () => {
    await open("/machines");
    await page.getByRole("searchbox").first().fill("-web1");
    await page.getByText("0 of ").waitFor();
    await page.getByRole("searchbox").first().fill("web1 -db");
    await page.getByRole("link", { name: "web1", exact: true }).waitFor();
    await page.getByRole("button", { name: "View", exact: true }).click();
    const dialog = page.getByRole("dialog", { name: "View" });
    await dialog.getByRole("textbox", { name: "Save this filter as" }).fill("the web");
    await dialog.getByRole("button", { name: "Save", exact: true }).click();
    await dialog.getByRole("link", { name: "the web" }).waitFor();
    await dialog.getByRole("checkbox", { name: "Address" }).click();
    expect(await violationsOf(page)).toEqual([]);
    await dialog.getByRole("button", { name: "Close" }).last().click();
    const headers = page.getByRole("columnheader");
    await headers.getByRole("button", { name: "Last seen" }).click();
    await page.waitForURL(/sort=seen/);
    await headers.getByRole("button", { name: "Last seen" }).click();
    await page.waitForURL(/sort=-seen/);
    await page.reload();
    await page
      .getByRole("columnheader", { name: "Last seen" })
      .and(page.locator('[aria-sort="descending"]'))
      .waitFor();
    expect(await headers.filter({ hasText: "Address" }).count()).toBe(0);
    await open("/machines");
    expect(await headers.filter({ hasText: "Address" }).count()).toBe(0);
    await page.getByRole("button", { name: "View", exact: true }).click();
    await dialog.getByRole("link", { name: "the web" }).click();
    await dialog.waitFor({ state: "detached" });
    await page.waitForURL(/q=web1/);
    await page.evaluate(() => localStorage.removeItem("qf-list:Machines"));
    complaints.splice(0);
  }, 120_000);

  test("a rollout is started in a dialog, halted, resumed and ended, and says who takes no part", async () => {
    await open("/rollouts");
    await page.getByRole("button", { name: "New rollout" }).first().click();
    const dialog = page.getByRole("dialog", { name: "New rollout" });
    await dialog.getByRole("textbox", { name: "Release" }).fill("99.0.0");
    await dialog.getByRole("button", { name: "Start" }).click();
    await dialog.getByText(/this server hands out no such release/i).waitFor();
    const { dataDir, root } = setUp.lab;
    const key = aReleaseKey(root);
    writeRelease({ folder: join(dataDir, "releases"), version: "99.0.0", key, targets: ["linux-x64"] });
    await dialog.getByRole("textbox", { name: "Stages, in percent of the machines" }).fill("50, 10, 100");
    expect(await dialog.getByRole("button", { name: "Start" }).isDisabled()).toBe(true);
    await dialog.getByRole("textbox", { name: "Stages, in percent of the machines" }).fill("50, 100");
    expect(await violationsOf(page)).toEqual([]);
    await dialog.getByRole("button", { name: "Start" }).click();
    await page.getByRole("heading", { level: 1, name: "Rollout of 99.0.0" }).waitFor();
    await page.getByText("1 older machine takes no part").waitFor();
    expect(await violationsOf(page)).toEqual([]);
    expect(await overflowIn320(page)).toEqual([]);
    await page.getByRole("button", { name: "Halt" }).click();
    await page.getByText("halted", { exact: true }).waitFor();
    await page.getByRole("button", { name: "Resume" }).click();
    await page.getByRole("alertdialog").getByRole("button", { name: "Resume" }).click();
    await page.getByText("running", { exact: true }).waitFor();
    await page.getByRole("button", { name: "End", exact: true }).click();
    await page.getByRole("button", { name: "End rollout" }).click();
    await page.getByText("cancelled", { exact: true }).waitFor();
    expect(await page.getByRole("button", { name: "Halt" }).count()).toBe(0);
    await open("/rollouts");
    await page.getByRole("row").filter({ hasText: "99.0.0" }).getByText("cancelled").waitFor();
    complaints.splice(0);
  }, 120_000);

  test("a machine is added by one line, and appears by itself", async () => {
    await open("/machines/add");
    await page.getByRole("checkbox", { name: "Servers" }).click();
    await page.getByRole("button", { name: "Make the line" }).click();
    const line = (await page.getByText("QF_SETUP_KEY=").textContent()) ?? "";
    const setupKey = /QF_SETUP_KEY=(\S+)/.exec(line)?.[1] ?? "";
    await setUp.lab.startAgent("web2", { setupKey });
    await page.getByRole("link", { name: "web2" }).waitFor();
    await page.getByText("is connected.").waitFor();
  }, 120_000);
});
