/** People, groups, keys and checks: making, changing and deleting them by their pages. One set-up for all. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import type { Browser, BrowserContext, Page } from "playwright-core";
import type { Group, PersonalAccessToken, SetupKey, User } from "../../src/wire/admin-api.ts";
import { violationsOf } from "../support/axe.ts";
import { confirmInTab, openChromium, openContext, openPage, signInByPage } from "../support/chromium.ts";
import { type Lab, OWNER, openLab, type Person } from "../support/lab.ts";
import { overflowIn320 } from "../support/narrow-page.ts";
import { isRoot } from "../support/os-accounts.ts";

const NOBODY = "nobody00000000000000";
const LONG = "x".repeat(256);
const ARABIC = "خادم الويب 🏗️";

describe.skipIf(!isRoot)("people, and what they are in", () => {
  let lab: Lab;
  let browser: Browser;
  let context: BrowserContext;
  let page: Page;
  let ada: Person;
  let devs: string;
  beforeAll(async () => {
    [lab, browser] = await Promise.all([openLab(), openChromium()]);
    devs = await lab.createGroup("Developers");
    ada = await lab.createPerson("ada@example.com", [devs]);
    await lab.createGroup("On call");
    context = await openContext(browser);
    ({ page } = await openPage(context));
    await signInByPage(page, lab.url, OWNER, "/people");
    await page.getByRole("link", { name: "ada" }).waitFor();
  }, 180_000);
  afterAll(async () => {
    await browser?.close();
    await lab?.[Symbol.asyncDispose]();
  });
  beforeEach(() => page.keyboard.press("Escape"));

  const open = async (path: string): Promise<void> => {
    await page.goto(lab.url + path);
    // Behind a dialog it is nothing for readers.
    await page.locator("h1").waitFor();
  };
  const press = (name: string | RegExp) => page.getByRole("button", { name, exact: true }).click();
  const dialog = (name: string) => page.getByRole("dialog", { name });
  const users = () => lab.api<User[]>("GET", "/api/users");

  test("a role and groups are changed with the difference said; a mightier role is confirmed in another tab", async () => {
    await open("/people");
    await page.getByRole("link", { name: "ada" }).click();
    await press("Edit");
    await dialog("Edit ada").getByText("Nothing is changed yet.").waitFor();
    await page.getByRole("combobox", { name: "Role" }).click();
    await page.getByRole("option", { name: /^Admin/ }).click();
    await press("Groups: Add a group");
    await page.getByRole("option", { name: "On call" }).click();
    await page.keyboard.press("Escape");
    await press("Remove Developers");
    await page.getByText("Role: user becomes admin.").waitFor();
    await page.getByText("Joins On call.").waitFor();
    await page.getByText("Leaves Developers.").waitFor();
    await press("Save");
    await confirmInTab(page, OWNER);
    await press("Save");
    await dialog("Edit ada").waitFor({ state: "detached" });
    await page.getByRole("link", { name: "On call" }).waitFor();
    expect((await users()).find(({ id }) => id === ada.id)).toMatchObject({ role: "admin" });
  }, 120_000);

  test("what was chosen in a dialog is there after its page was loaded anew", async () => {
    await open(`/people/${ada.id}?do=edit`);
    await page.getByRole("combobox", { name: "Role" }).click();
    await page.getByRole("option", { name: /^Auditor/ }).click();
    await page.reload();
    await page.getByText("Role: admin becomes auditor.").waitFor();
    await press("Save");
    await dialog("Edit ada").waitFor({ state: "detached" });
    expect(new URL(page.url()).search).toBe("");
  }, 120_000);

  test("a membership for a while ends by itself, or is ended before", async () => {
    await open(`/people/${ada.id}`);
    await press("Add for a while");
    await press("Groups: Add a group");
    await page.getByRole("option", { name: "Developers" }).click();
    await page.keyboard.press("Escape");
    await page.getByRole("radio", { name: "7 days" }).click();
    await press("Put in");
    await page.getByText("ends in 7 days").waitFor();
    const until = async () => (await users()).find(({ id }) => id === ada.id)?.auto_groups_until;
    expect(await until()).toMatchObject([{ group: devs }]);
    await press("End the membership in Developers");
    await press("Take out");
    await page.getByText("ends in 7 days").waitFor({ state: "detached" });
    expect((await until()) ?? []).toEqual([]);
  }, 120_000);

  test("a service user gets a token with a scope and an end, shown once; and loses it", async () => {
    await open("/people");
    await press("New service user");
    await page.getByRole("textbox", { name: "Name" }).fill("deploy-bot");
    await press("Create");
    await confirmInTab(page, OWNER);
    await press("Create");
    await page.getByRole("heading", { level: 1, name: "deploy-bot" }).waitFor();
    await press("New token");
    await page.getByRole("textbox", { name: "Name" }).fill("CI");
    await page.getByRole("radio", { name: /^SSH/ }).click();
    await page.getByRole("radio", { name: "Other" }).click();
    await page.getByRole("textbox", { name: "Days" }).fill("366");
    await page.getByText("Write a whole number from 1 to 365.").waitFor();
    await page.getByRole("textbox", { name: "Days" }).fill("45");
    await press("Make the token");
    await confirmInTab(page, OWNER);
    await press("Make the token");
    const shown = await page.getByText(/^qf[a-z]*_[\w-]{43}$/).textContent();
    await press("Done");
    await page.getByText("last used never").waitFor();
    expect(await page.getByText(shown ?? "").count()).toBe(0);
    const bot = (await users()).find(({ name }) => name === "deploy-bot");
    const tokens = () => lab.api<PersonalAccessToken[]>("GET", `/api/users/${bot?.id}/tokens`);
    const [made] = await tokens();
    expect(made).toMatchObject({ name: "CI", scope: "ssh" });
    expect(Date.parse(made?.expiration_date ?? "") - Date.parse(made?.created_at ?? "")).toBe(
      45 * 86_400_000,
    );
    await press("Delete CI");
    await page.getByRole("alertdialog").getByRole("button", { name: "Delete" }).click();
    await page.getByText("No token yet").waitFor();
    expect(await tokens()).toEqual([]);
  }, 120_000);

  test("an invitation is made anew, and withdrawn", async () => {
    const body = { email: "new@example.com", role: "user", auto_groups: [], is_service_user: false };
    const invited = await lab.api<User>("POST", "/api/users", body);
    await open(`/people/${invited.id}`);
    await press("Actions");
    await page.getByRole("menuitem", { name: "New invitation link" }).click();
    await press("Make the link");
    await confirmInTab(page, OWNER);
    await press("Make the link");
    await page.getByText("/idp/password/").waitFor();
    await press("Done");
    await press("Actions");
    await page.getByRole("menuitem", { name: "Withdraw the invitation" }).click();
    await press("Withdraw");
    await page.waitForURL(/\/people$/);
    expect((await users()).some(({ id }) => id === invited.id)).toBe(false);
  }, 120_000);

  test("people are filtered in the address, changed together, and exported as they are shown", async () => {
    await open("/people?kind=people&q=example.com");
    const rows = page.getByRole("table", { name: "People" }).getByRole("row");
    await rows.filter({ hasText: "ada@example.com" }).getByRole("checkbox").click();
    await page.getByRole("toolbar").getByRole("button", { name: "Groups" }).click();
    await page.getByRole("checkbox", { name: "Developers" }).click();
    await press("Put them in");
    await rows.filter({ hasText: "ada@example.com" }).getByText("Developers").waitFor();
    await page.getByRole("searchbox").fill("ada");
    await page.waitForURL(({ searchParams }) => searchParams.get("q") === "ada");
    await rows.filter({ hasText: "owner" }).waitFor({ state: "detached" });
    const downloading = page.waitForEvent("download");
    await press("Export CSV");
    const lines = readFileSync(await (await downloading).path(), "utf8")
      .trim()
      .split("\r\n");
    expect(lines).toHaveLength(2);
    expect(lines[1]).toContain("ada@example.com");
    await page.getByRole("combobox", { name: "State" }).click();
    await page.getByRole("option", { name: "Blocked" }).click();
    await page.getByText("Nothing matches").waitFor();
    await page.reload();
    await page.getByText("Nothing matches").waitFor();
  }, 120_000);

  test("a group's people are changed with the difference said; one in use is not deleted, and says by what", async () => {
    const policy = await lab.createPolicy("Deploy", [devs], [devs]);
    await open(`/groups/${devs}`);
    await page.getByRole("link", { name: "Deploy" }).waitFor();
    await press("Change people");
    await press("Remove ada");
    await press("In the group: Add a person");
    await page.getByRole("option", { name: "deploy-bot" }).click();
    await page.keyboard.press("Escape");
    await page.getByText("Joins: deploy-bot.").waitFor();
    await page.getByText("Leaves: ada.").waitFor();
    await press("Save");
    await page
      .getByRole("table", { name: "People in it" })
      .getByRole("link", { name: "deploy-bot" })
      .waitFor();
    expect((await users()).find(({ id }) => id === ada.id)?.auto_groups).not.toContain(devs);
    await press("Delete Developers");
    const refused = page.getByRole("alertdialog", { name: "Developers is in use" });
    await refused.getByRole("link", { name: "Deploy" }).waitFor();
    expect(await refused.getByRole("button", { name: "Delete" }).isDisabled()).toBe(true);
    await lab.api("DELETE", `/api/policies/${policy.id}`);
    await refused.getByRole("link", { name: "Deploy" }).waitFor({ state: "detached" });
    await refused.getByRole("button", { name: "Cancel" }).click();
    await lab.api("POST", "/api/groups", { name: "Spare" });
    await open("/groups?state=empty");
    await press("Delete Spare");
    await page
      .getByRole("alertdialog", { name: "Delete Spare?" })
      .getByRole("button", { name: "Delete" })
      .click();
    await page.getByText("Nothing matches").waitFor();
  }, 120_000);

  test("a group's dialog sets what it requires; requiring less is confirmed in another tab", async () => {
    const { id } = await lab.api<Group>("POST", "/api/groups", { name: "Databases" });
    const stored = async () => (await lab.api<Group>("GET", `/api/groups/${id}`)).require;
    const edit = async (): Promise<void> => {
      await press("Edit");
      await press(/^Required at its machines/);
    };
    await open(`/groups/${id}`);
    await edit();
    await page.getByRole("combobox", { name: "Recording" }).click();
    await page.getByRole("option", { name: /^always/ }).click();
    await page.getByRole("checkbox", { name: "Only with an approval" }).click();
    await page.getByRole("textbox", { name: "Signed in within the last" }).fill("1h");
    await press("Save");
    await page
      .getByText(/whatever a policy says: signed in within the last 1h, once approved, always recorded/)
      .waitFor();
    const required = { record: "required", approval: true, reauth_within_seconds: 3_600 } as const;
    expect(await stored()).toEqual(required);
    await press("Delete Databases");
    const loss = page.getByRole("alertdialog", { name: "Delete Databases?" });
    await loss.getByText(/no longer require/).waitFor();
    await loss.getByRole("button", { name: "Cancel" }).click();
    await edit();
    await page.getByRole("checkbox", { name: "Only with an approval" }).click();
    await press("Save");
    await page.getByRole("link", { name: /^Sign in again to confirm it/ }).waitFor();
    expect(await stored()).toEqual(required);
    await page.getByRole("dialog").getByRole("button", { name: "Cancel" }).click();
    // With the token of the host.
    await lab.api("DELETE", `/api/groups/${id}`);
  }, 120_000);

  test("a posture check says what is wrong at its field, and what it means; one that a policy asks for stays", async () => {
    await open("/posture-checks");
    await page.getByRole("button", { name: "New posture check" }).first().click();
    await page.getByRole("textbox", { name: "Name" }).fill("Patched");
    await page.getByRole("textbox", { name: "Lowest version of qf" }).fill("newest");
    await press("Create");
    await page.getByText("Is not a version (1.2.3).", { exact: true }).waitFor();
    await page.getByRole("textbox", { name: "Lowest version of qf" }).fill("0.1");
    await page.getByText("A device runs qf 0.1 or later.").waitFor();
    await press("Create");
    await page.getByRole("cell", { name: "A device runs qf 0.1 or later." }).waitFor();
    await press("Edit Patched");
    await page.getByRole("switch", { name: "Ask for the operating system" }).click();
    await page.getByRole("textbox", { name: "Linux at least" }).fill("5.10");
    await press("Save");
    await page.getByRole("cell", { name: "and has Linux 5.10 or later." }).waitFor();
    await press("Delete Patched");
    await page.getByRole("alertdialog").getByRole("button", { name: "Delete" }).click();
    await page.getByText("No posture check yet").waitFor();
  }, 120_000);

  test("a setup key for many machines is shown once; its groups are changed, it is revoked and deleted", async () => {
    const keys = () => lab.api<SetupKey[]>("GET", "/api/setup-keys");
    await open("/setup-keys");
    await press("New setup key");
    await page.getByRole("textbox", { name: "Name" }).fill("Image");
    await page.getByRole("radio", { name: /^For many/ }).click();
    await page.getByRole("textbox", { name: "How many machines" }).fill("10");
    await page.getByRole("radio", { name: "30 days" }).click();
    await press("Make the key");
    await page.getByText(/QF_SETUP_KEY=/).waitFor();
    await press("Done");
    expect(await keys()).toMatchObject([{ name: "Image", type: "reusable", usage_limit: 10 }]);
    const menu = async (item: string): Promise<void> => {
      await press("Actions of Image");
      await page.getByRole("menuitem", { name: item }).click();
    };
    await menu("Change its groups");
    await press("Groups: Add a group");
    await page.getByRole("option", { name: "Developers" }).click();
    await page.keyboard.press("Escape");
    await press("Save");
    await dialog("Groups of Image").waitFor({ state: "detached" });
    await menu("Revoke");
    await press("Revoke");
    await page.getByRole("cell", { name: "revoked" }).waitFor();
    expect(await keys()).toMatchObject([{ auto_groups: [devs], revoked: true }]);
    await menu("Delete");
    await press("Delete");
    await page.getByText("No setup key yet").waitFor();
  }, 120_000);

  test("an end is chosen from now on, from a calendar by keys, or typed; a day that is none is said", async () => {
    await open("/policies/new");
    await press(/^When, and/);
    await press("in 7 days");
    const day = page.getByRole("textbox", { name: "Until (UTC): day" });
    const chosen = Date.parse(await day.inputValue());
    expect(chosen).toBeGreaterThan(Date.now() + 5 * 86_400_000);
    await press("Until (UTC): day: calendar");
    await page.locator("[data-day]:focus").waitFor();
    expect(await violationsOf(page)).toEqual([]);
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Enter");
    expect(Date.parse(await day.inputValue())).toBe(chosen + 7 * 86_400_000);
    await day.fill("2026-02-30");
    await page.getByText("Write a day such as 2026-12-24.").waitFor();
    await press("no end");
    expect(await day.inputValue()).toBe("");
  }, 120_000);

  test("the audit log is filtered by days in the address, told in words, and exported whole", async () => {
    const day = (later: number): string =>
      new Date(Date.now() + later * 86_400_000).toISOString().slice(0, 10);
    await open(`/audit?since=${day(-2)}&until=${day(2)}&activity=group.add`);
    const rows = page.getByRole("table", { name: "Audit events" }).getByRole("row");
    await rows.filter({ hasText: "Group made" }).first().waitFor();
    const downloading = page.waitForEvent("download");
    await press("Export CSV");
    const csv = readFileSync(await (await downloading).path(), "utf8")
      .trim()
      .split("\r\n");
    expect(csv.slice(1).every((line) => line.includes(",group.add,"))).toBe(true);
    await page.goto(`${lab.url}/audit?until=${day(-2)}`);
    await page.getByText("No event matches").waitFor();
  }, 120_000);

  test("names of 256 characters, right to left and with emoji stay inside, and keep nobody out", async () => {
    const made: string[] = [];
    for (const name of [LONG, ARABIC]) {
      const body = { name, role: "user", auto_groups: [], is_service_user: true };
      const { id } = await lab.api<User>("POST", "/api/users", body);
      const group = await lab.createGroup(name);
      await lab.api("PUT", `/api/users/${id}`, { ...body, auto_groups: [group], is_blocked: false });
      await lab.api("POST", `/api/users/${id}/tokens`, { name, expires_in: 1 });
      made.push(`/people/${id}`, `/groups/${group}`);
    }
    for (const path of ["/people", "/groups", ...made]) {
      await open(path);
      await page.getByText(LONG).or(page.getByText(ARABIC)).first().waitFor();
      expect([path, await overflowIn320(page)]).toEqual([path, []]);
    }
    expect(await violationsOf(page)).toEqual([]);
    await open(`${made[0]}?do=edit`);
    await page.getByRole("dialog").waitFor();
    expect(await overflowIn320(page)).toEqual([]);
    expect(await violationsOf(page)).toEqual([]);
  }, 180_000);

  test("a person and a group that are deleted while their pages are open say so", async () => {
    const body = { name: "short-lived", role: "user", auto_groups: [], is_service_user: true };
    const { id } = await lab.api<User>("POST", "/api/users", body);
    const group = await lab.createGroup("Short-lived");
    for (const [what, path, route] of [
      ["person", `/people/${id}`, `/api/users/${id}`],
      ["group", `/groups/${group}`, `/api/groups/${group}`],
    ] as const) {
      await open(path);
      await page.getByRole("button", { name: "Edit", exact: true }).waitFor();
      await lab.api("DELETE", route);
      await page.getByRole("heading", { level: 1, name: `This ${what} is gone` }).waitFor();
    }
  }, 120_000);

  test.each([
    ["person", "people", "All people"],
    ["group", "groups", "All groups"],
    ["machine", "machines", "All machines"],
    ["device", "devices", "All devices"],
    ["session", "sessions", "All sessions"],
    ["request", "requests", "All requests"],
    ["policy", "policies", "All policies"],
  ])(
    "a %s that is gone says so, and leads back",
    async (what, section, back) => {
      await page.goto(`${lab.url}/${section}/${NOBODY}`);
      await page.getByRole("heading", { level: 1, name: `This ${what} is gone` }).waitFor();
      await page.getByRole("link", { name: back }).click();
      await page.waitForURL(`${lab.url}/${section}`);
    },
    60_000,
  );

  test("pages that a role does not show say so, and lead back", async () => {
    const [group] = await lab.api<Group[]>("GET", "/api/groups");
    const bob = await lab.createPerson("bob@example.com");
    await using own = await openContext(browser);
    const { page: bobs } = await openPage(own);
    await signInByPage(bobs, lab.url, bob, `/groups/${group?.id}`);
    await bobs.getByRole("heading", { level: 1, name: "You may not see this group" }).waitFor();
    await bobs.goto(`${lab.url}/people/${ada.id}`);
    await bobs.getByRole("heading", { level: 1, name: "This person is gone" }).waitFor();
    await bobs.getByRole("link", { name: "My access" }).last().click();
    await bobs.getByRole("heading", { level: 1, name: "My access" }).waitFor();
  }, 60_000);
});
