/** The policy editor in a browser: the form, its sentence and difference, faults, conflicts, drafts. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { Browser, Page } from "playwright-core";
import type { Policy } from "../../src/wire/policy.ts";
import { violationsOf } from "../support/axe.ts";
import { confirmInTab, openChromium, openContext, openPage, signInByPage } from "../support/chromium.ts";
import { OWNER } from "../support/lab.ts";
import { overflowIn320 } from "../support/narrow-page.ts";
import { isRoot } from "../support/os-accounts.ts";
import { openSetUp, type SetUp } from "../support/set-up.ts";
import { tabTo } from "../support/tab-to.ts";

describe.skipIf(!isRoot)("the policy editor", () => {
  let setUp: SetUp;
  let browser: Browser;
  let page: Page;
  let complaints: string[];
  beforeAll(async () => {
    [setUp, browser] = await Promise.all([openSetUp({ policies: [{ logins: ["deploy"] }] }), openChromium()]);
    ({ page, complaints } = await openPage(await openContext(browser)));
    await signInByPage(page, setUp.lab.url, OWNER, "/policies");
    await page.getByRole("link", { name: "devs" }).waitFor();
  }, 180_000);
  afterAll(async () => {
    await browser?.close();
    await setUp?.[Symbol.asyncDispose]();
  });

  const stored = async (): Promise<Policy> => {
    const [policy] = await setUp.lab.api<Policy[]>("GET", "/api/policies");
    if (policy === undefined) throw new Error("there is no policy");
    return policy;
  };
  const logins = async (): Promise<unknown> =>
    Object.values((await stored()).rules[0]?.authorized_groups ?? {});
  /** Another person's save. */
  const saveElsewhere = async (change: object): Promise<void> => {
    const { id, rules, warnings: _, ...policy } = await stored();
    const ids = (groups: Policy["rules"][number]["sources"]) => groups?.map((group) => group.id) ?? [];
    const written = rules.map((rule) => ({
      ...rule,
      sources: ids(rule.sources),
      destinations: ids(rule.destinations),
      ...change,
    }));
    await setUp.lab.api("PUT", `/api/policies/${id}`, { ...policy, rules: written });
  };
  const open = async (): Promise<void> => {
    await page.goto(`${setUp.lab.url}/policies/${(await stored()).id}`);
    await page.getByRole("textbox", { name: "As local users" }).waitFor();
  };
  const addLogin = async (name: string): Promise<void> => {
    const field = page.getByRole("textbox", { name: "As local users" });
    await field.fill(name);
    await field.press("Enter");
  };
  const save = () => page.getByRole("button", { name: "Save", exact: true });

  test("a policy is edited by keyboard alone; who gains is shown before it is saved", async () => {
    await tabTo(page, "devs");
    await page.keyboard.press("Enter");
    await page.getByRole("textbox", { name: "As local users" }).waitFor();
    await tabTo(page, "As local users");
    await page.keyboard.type("www,");
    await page.getByText("may log in as deploy or www on Servers").waitFor();
    await page.getByText("1 gained.").waitFor();
    await page.getByRole("complementary").getByText("ada@example.com").waitFor();
    await tabTo(page, "Save");
    await page.keyboard.press("Enter");
    await page.waitForURL(/\/policies$/);
    expect(await logins()).toEqual([["deploy", "www"]]);
  }, 120_000);

  test("what the API refuses is said at its field, and nothing can be saved until it is mended", async () => {
    await open();
    await addLogin("not:a-user");
    await page
      .getByText(/^Authorized_groups|is not/i)
      .first()
      .waitFor();
    await page.getByText("Some fields have to be mended first.").waitFor();
    expect(await save().isDisabled()).toBe(true);
    await page.getByRole("button", { name: "Remove not:a-user" }).click();
    await page.getByText("As you edit, who gains").waitFor();
    expect(complaints.splice(0)).toEqual([expect.stringContaining("422")]);
  }, 120_000);

  test("policies that are kept elsewhere are shown, and changed only for a reason by a fresh sign-in", async () => {
    const { lab } = setUp;
    const [account] = await lab.api<{ id: string; settings: object }[]>("GET", "/api/accounts");
    if (account === undefined) throw new Error("there is no account");
    const keepIn = (policy_source: string) =>
      lab.api("PUT", `/api/accounts/${account.id}`, {
        settings: { ...account.settings, policy_source },
        reason: "a test",
      });
    const before = await logins();
    await keepIn("https://git.example.com/ops/policies");
    await open();
    await page.getByRole("link", { name: "https://git.example.com/ops/policies" }).waitFor();
    expect(await page.getByRole("textbox", { name: "As local users" }).isDisabled()).toBe(true);
    for (const path of ["/policies", "/policies/file", "/policies/history", "/policies/tests"]) {
      await page.goto(setUp.lab.url + path);
      await page.getByText("Here they are shown.").waitFor();
      for (const name of ["New policy", "Actions of devs", "Add a test", "Restore state 1"]) {
        expect([name, await page.getByRole("button", { name }).count()]).toEqual([name, 0]);
      }
    }
    await open();
    await page.getByRole("button", { name: "Change them here" }).click();
    const asked = page.getByRole("dialog", { name: "Change the policies here?" });
    expect(await asked.getByRole("button", { name: "Change them here" }).isDisabled()).toBe(true);
    await asked.getByRole("textbox", { name: "Reason" }).fill("INC-42");
    await asked.getByRole("button", { name: "Change them here" }).click();
    await addLogin("oncall");
    await page.getByText("1 gained.").waitFor();
    await save().click();
    await confirmInTab(page, OWNER);
    expect(await logins()).toEqual(before);
    await save().click();
    await page.waitForURL(/\/policies$/);
    await page.getByText("They were changed here").waitFor();
    expect(await violationsOf(page)).toEqual([]);
    expect(await overflowIn320(page)).toEqual([]);
    await page.getByRole("button", { name: "Stop changing them here" }).click();
    await page.getByText("Here they are shown.").waitFor();
    await keepIn("");
    await open();
    await page.getByRole("button", { name: "Remove oncall" }).click();
    await page.getByText("1 lost", { exact: false }).first().waitFor();
    await save().click();
    await page.waitForURL(/\/policies$/);
    expect(await logins()).toEqual(before);
    // The save that was refused for want of a fresh sign-in.
    expect(complaints.splice(0)).toEqual([expect.stringContaining("403")]);
  }, 120_000);

  test("a rule that others changed meanwhile is asked, with the edit kept over a reload", async () => {
    await open();
    await addLogin("mine");
    await page.getByText("1 gained.").waitFor();
    await page.reload();
    await page.getByRole("button", { name: "Remove mine" }).waitFor();
    await saveElsewhere({ authorized_groups: { [setUp.devs]: ["theirs"] } });
    const conflict = page.getByRole("heading", {
      name: "This policy was changed meanwhile, in the same place",
    });
    await conflict.waitFor();
    await page.getByText("may log in as theirs").waitFor();
    await page.getByRole("button", { name: "Keep mine" }).click();
    await conflict.waitFor({ state: "detached" });
    await save().click();
    await page.waitForURL(/\/policies$/);
    expect(await logins()).toEqual([["deploy", "www", "mine"]]);
  }, 120_000);

  test("an edit beside what others changed is put over it without a question", async () => {
    await open();
    await page.getByRole("textbox", { name: "Description", exact: true }).fill("who deploys");
    await page.getByText("nobody's access changes", { exact: false }).waitFor();
    await saveElsewhere({ ssh: { sftp: "read" } });
    await page.getByText("with downloads only").first().waitFor();
    await page.getByText("nobody's access changes", { exact: false }).waitFor();
    await save().click();
    await page.waitForURL(/\/policies$/);
    const { description, rules } = await stored();
    expect([description, rules[0]?.ssh]).toEqual(["who deploys", { sftp: "read" }]);
  }, 120_000);

  test("a rule that wants an approval says by whom, and for how long one counts", async () => {
    await open();
    await page.getByRole("button", { name: /^What they may do/ }).click();
    await page.getByRole("checkbox", { name: "Only once approved" }).click();
    await page.getByRole("button", { name: "Approved by members of: Add a group" }).click();
    await page.getByRole("option", { name: "Servers" }).click();
    await page.keyboard.press("Escape");
    await page.getByRole("textbox", { name: "One approval counts for at most" }).fill("2h");
    await page.getByText("once approved by a member of Servers for at most 2h at a time").first().waitFor();
    await save().click();
    await confirmInTab(page, OWNER);
    await save().click();
    await page.waitForURL(/\/policies$/);
    const before = (await stored()).rules[0];
    expect(before).toMatchObject({ approver_groups: [setUp.servers], approval_seconds: 7_200 });
    await page.getByText("once approved by a member of Servers for at most 2h at a time").waitFor();
    await open();
    await page.getByRole("button", { name: /^What they may do/ }).click();
    await page.getByRole("checkbox", { name: "Only once approved" }).click();
    await save().click();
    await confirmInTab(page, OWNER);
    await save().click();
    await page.waitForURL(/\/policies$/);
    const after = (await stored()).rules[0];
    expect(after?.ssh).toEqual({ sftp: "read" });
    expect([after?.approver_groups, after?.approval_seconds]).toEqual([undefined, undefined]);
    expect(complaints.splice(0)).toEqual([expect.stringContaining("403"), expect.stringContaining("403")]);
  }, 120_000);

  test("a policy is copied, the copy switched off, and deleted, each with its difference first", async () => {
    await page.goto(`${setUp.lab.url}/policies/new?copy=${(await stored()).id}`);
    await addLogin("copied");
    await save().click();
    await page.waitForURL(/\/policies$/);
    for (const verb of ["Switch off", "Delete"]) {
      await page.getByRole("button", { name: "Actions of devs copy" }).click();
      await page.getByRole("menuitem", { name: verb }).click();
      await page
        .getByRole("alertdialog")
        .getByText(verb === "Delete" ? "Written" : "1 lost.")
        .waitFor();
      await page.getByRole("button", { name: verb }).click();
      await page.getByRole("alertdialog").waitFor({ state: "detached" });
    }
    await page.getByRole("link", { name: "devs copy" }).waitFor({ state: "detached" });
    expect(await setUp.lab.api<Policy[]>("GET", "/api/policies")).toHaveLength(1);
    expect(complaints.splice(0)).toEqual([]);
  }, 120_000);

  test("a test is added, and a save that breaks it says so", async () => {
    await page.goto(`${setUp.lab.url}/policies/tests`);
    await page.getByRole("button", { name: "Add a test" }).first().click();
    await page.getByRole("button", { name: "Person: Choose a person" }).click();
    await page.getByRole("option", { name: "ada@example.com" }).click();
    await page.getByRole("button", { name: "Machine: Choose a machine" }).click();
    await page.getByRole("option", { name: "web1" }).click();
    await page.getByRole("textbox", { name: "Local user" }).fill("root");
    await page.getByRole("radio", { name: "denied" }).click();
    await page.getByRole("button", { name: "Look at it" }).click();
    await page.getByRole("alertdialog").getByRole("button", { name: "Add" }).click();
    await page.getByText("all 1 pass").waitFor();
    await open();
    await addLogin("root");
    await page.getByText("1 test fails", { exact: false }).first().waitFor();
    expect(await save().isDisabled()).toBe(true);
    await page.getByRole("button", { name: "Save although tests fail" }).waitFor();
    await page.getByRole("button", { name: "Discard it" }).click();
  }, 120_000);

  test("an earlier state is looked at and restored after its difference was shown", async () => {
    await saveElsewhere({ description: "changed elsewhere" });
    await page.goto(`${setUp.lab.url}/policies`);
    await page.getByRole("link", { name: "History" }).click();
    await page.getByText("in force").waitFor();
    await page.getByRole("button", { name: "Restore state 2", exact: true }).click();
    const dialog = page.getByRole("alertdialog");
    await dialog.getByText("Written").waitFor();
    await dialog.getByRole("button", { name: "Restore" }).click();
    await page.getByText("The policies are as they were in state 2.").first().waitFor();
    expect((await stored()).rules[0]?.description ?? "").toBe("");
    expect(await logins()).toEqual([["deploy"]]);
    expect(complaints.splice(0)).toEqual([]);
  }, 120_000);

  test("the list says how much each rule is used; those unused for 90 days are a filter", async () => {
    await page.goto(`${setUp.lab.url}/policies`);
    await page.getByText("1 person × 1 machine; not used; counting began").waitFor();
    await page.goto(`${setUp.lab.url}/policies?state=unused`);
    await page.getByText("No policy matches").waitFor();
    expect(await violationsOf(page)).toEqual([]);
    expect(await overflowIn320(page)).toEqual([]);
  }, 120_000);

  test("a refusal leads to a draft of the narrowest rule, with whom else it lets in; nothing is saved", async () => {
    const before = await stored();
    await page.goto(`${setUp.lab.url}/access?user=ada@example.com&machine=web1&as=www`);
    await page.getByRole("link", { name: "Draft the narrowest rule" }).click();
    await page.getByRole("heading", { level: 1, name: "Draft from a refusal" }).waitFor();
    await page.getByText("Developers may log in as www on web1.").waitFor();
    await page.getByText("1 gained.").waitFor();
    expect(await violationsOf(page)).toEqual([]);
    expect(await stored()).toEqual(before);
    expect(await setUp.lab.api<Policy[]>("GET", "/api/policies")).toHaveLength(1);
    await page.goto(`${setUp.lab.url}/access?user=ada@example.com&machine=web1&as=root`);
    await page.getByText("denied", { exact: true }).waitFor();
    expect(await page.getByRole("link", { name: "Draft the narrowest rule" }).count()).toBe(0);
  }, 120_000);
});
