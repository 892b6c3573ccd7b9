/**
 * `make screenshots`: each page of the dashboard, and the pages around signing in, at three widths in both
 * themes, whole, into `dist/screenshots`. Words after the command leave out what they do not name: a width, a
 * theme or the name of a page, as in `bun test/screenshots.ts 390 dark policy-new`.
 */
import { mkdirSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { openChromium, openContext, openPage, signInAtProvider, signInByPage } from "./support/chromium.ts";
import { type Lab, OWNER, openLab } from "./support/lab.ts";
import { aReleaseKey, writeRelease } from "./support/release.ts";
import { OPENED, OUTSIDE, PAGES, type Place } from "./support/screenshot-places.ts";
import { openSetUp, type SetUp } from "./support/set-up.ts";
import { shows } from "./support/terminal-page.ts";

const FOLDER = resolve(import.meta.dir, "../dist/screenshots");
const WIDTHS = [390, 1280, 1920] as const;
const THEMES = ["light", "dark"] as const;
/** Pages are shown whole up to this height. */
const HEIGHT_MAX = 4_000;
const HEAD_PX = 52;
const WORDS = process.argv.slice(2);

interface Look {
  readonly width: (typeof WIDTHS)[number];
  readonly theme: (typeof THEMES)[number];
}

/** Whether the words ask for it. */
function isAsked(name: string, among: readonly string[] = []): boolean {
  const kin = WORDS.filter((word) => (among.length === 0 ? !isLook(word) : among.includes(word)));
  return kin.length === 0 || kin.includes(name);
}

function isLook(word: string): boolean {
  return [...WIDTHS.map(String), ...THEMES].includes(word);
}

async function openLook(browser: Browser, { width, theme }: Look): Promise<BrowserContext> {
  const height = width === 390 ? 844 : Math.round(width * 0.5625);
  return openContext(browser, { width, height, dark: theme === "dark" });
}

/** Writes the page with all that its scroller holds. */
async function shoot(page: Page, name: string, { width, theme }: Look): Promise<void> {
  const before = page.viewportSize() ?? { width, height: 844 };
  const whole = await page.evaluate(
    () => document.querySelector("[data-scroller]")?.scrollHeight ?? document.documentElement.scrollHeight,
  );
  const height = Math.min(HEIGHT_MAX, Math.max(before.height, whole + HEAD_PX));
  await page.setViewportSize({ width, height });
  await page.screenshot({ path: join(FOLDER, `${name}-${width}-${theme}.png`) });
  await page.setViewportSize(before);
}

async function settle(page: Page): Promise<void> {
  await page.getByRole("heading", { level: 1 }).or(page.getByText("There is no such page")).first().waitFor();
  await page.waitForFunction(() => document.querySelector('[aria-label="Loading"]') === null);
}

/** People, rules, sessions and requests to look at. */
async function fill(setUp: SetUp, browser: Browser): Promise<void> {
  const { lab, devs, servers, account } = setUp;
  const approvers = { approver_groups: [setUp.group("leads")], approval_seconds: 7_200 };
  const strict = { require_approval: true, require_reason: true, max_session_seconds: 28_800 };
  await lab.createPolicy("Root on servers", [devs], [servers], {
    ...{ authorized_groups: { [devs]: ["root"] }, ssh: strict },
    ...approvers,
  });
  await lab.api("POST", "/api/groups", { name: "On call", requestable: true, request_seconds_max: 14_400 });
  const folder = join(lab.dataDir, "releases");
  writeRelease({ folder, version: "99.0.0", key: aReleaseKey(lab.root), targets: ["linux-x64"] });
  await lab.api("POST", "/api/rollouts", {});
  await setUp.device.ssh([`${account.name}@web1`, "uptime"]);
  await setUp.device.ssh([`${account.name}@web1`, "exit 3"]);
  await setUp.device.ssh(["postgres@web1", "true"]);
  await using context = await openContext(browser);
  const { page } = await openPage(context);
  await signInByPage(page, lab.url, setUp.person);
  await page.getByRole("button", { name: "Ask for On call" }).click();
  await page.getByRole("textbox", { name: "Reason" }).fill("On duty this week: INC-7 on the billing hosts");
  await page.getByRole("button", { name: "Ask", exact: true }).click();
  await page.getByRole("table", { name: "My requests" }).waitFor();
}

/** Pages of one thing, by their ids. */
async function details({ lab }: SetUp): Promise<readonly Place[]> {
  const first = async (path: string, name: string, at: string): Promise<Place> => {
    const found = await lab.api<{ id: string; kind?: string; name?: string }[]>("GET", path);
    const one = found.find(({ kind }) => kind !== "device") ?? found[0];
    return [name, `${at}/${one?.id ?? "none"}`];
  };
  const policies = await lab.api<{ id: string; name: string }[]>("GET", "/api/policies");
  return [
    await first("/api/peers", "machine", "/machines"),
    await first("/api/users?service_user=false", "person", "/people"),
    await first("/api/groups", "group", "/groups"),
    ...policies.map(({ id }, i): Place => [`policy-${i + 1}`, `/policies/${id}`]),
    await first("/api/sessions?state=live", "session-live", "/sessions"),
    await first("/api/sessions?state=ended", "session-ended", "/sessions"),
    await first("/api/access/requests", "request", "/requests"),
    await first("/api/rollouts", "rollout", "/rollouts"),
    ["refusal", "/access?user=ada@example.com&machine=web1&as=www"],
    ["policy-draft", "/policies/new?user=ada@example.com&machine=web1&as=www"],
  ];
}

async function shootPages(page: Page, setUp: SetUp, places: readonly Place[], look: Look): Promise<void> {
  await signInByPage(page, setUp.lab.url, OWNER);
  for (const [name, path] of places.filter(([one]) => isAsked(one))) {
    await page.goto(setUp.lab.url + path);
    await settle(page);
    await shoot(page, name, look);
  }
  if (isAsked("policy-open")) {
    await page.goto(`${setUp.lab.url}${places.find(([name]) => name === "policy-2")?.[1]}`);
    for (const part of [/^What they may do/, /^When, and/])
      await page.getByRole("button", { name: part }).click();
    await shoot(page, "policy-open", look);
  }
  for (const [name, path, button] of OPENED.filter(([one]) => isAsked(one))) {
    await page.goto(setUp.lab.url + path);
    await page.getByRole("button", { name: button }).first().click();
    await page.getByRole("dialog").waitFor();
    await shoot(page, name, look);
  }
  if (isAsked("policy-restore")) {
    await page.goto(`${setUp.lab.url}/policies/history`);
    await page
      .getByRole("button", { name: /^Restore state/ })
      .last()
      .click();
    await page.getByRole("alertdialog").getByText("Written").waitFor();
    await shoot(page, "policy-restore", look);
  }
  if (isAsked("session-ends")) await shootEnding(page, setUp, look);
}

/** What a plain user sees, up to a shell in the page. */
async function shootPerson(context: BrowserContext, setUp: SetUp, look: Look): Promise<void> {
  const { page } = await openPage(context);
  await page.goto(setUp.lab.url);
  await page.getByRole("link", { name: "Sign in to the dashboard" }).click();
  await page.getByLabel("E-mail").waitFor();
  await shoot(page, "provider", look);
  await signInAtProvider(page, setUp.person);
  await settle(page);
  await shoot(page, "person-access", look);
  await page.goto(`${setUp.lab.url}/requests`);
  await settle(page);
  await shoot(page, "person-requests", look);
  await page.goto(`${setUp.lab.url}/terminal/web1?as=${setUp.account.name}`);
  const link = page.getByRole("link", { name: "Sign in", exact: true });
  await link.waitFor();
  await shoot(page, "terminal-sign-in", look);
  const [popup] = await Promise.all([context.waitForEvent("page"), link.click()]);
  await popup.getByRole("button", { name: "Continue" }).waitFor();
  await shoot(popup, "hosted-confirm", look);
  await popup.getByRole("button", { name: "Continue" }).click();
  await signInAtProvider(popup, setUp.person);
  const code = await popup.locator("#code").textContent();
  await shoot(popup, "hosted-code", look);
  await popup.close();
  await page.getByRole("textbox", { name: "The code that it shows" }).fill(code ?? "");
  await page.getByRole("button", { name: "Connect" }).click();
  await shows(page, "$");
  await shoot(page, "terminal", look);
  await page.getByRole("button", { name: "More of the terminal" }).click();
  await shoot(page, "terminal-menu", look);
  await page.getByRole("menuitem", { name: "Settings…" }).click();
  await page.getByRole("dialog").waitFor();
  await shoot(page, "terminal-settings", look);
  await page.keyboard.press("Escape");
  await page.getByRole("dialog").waitFor({ state: "detached" });
  await shootFiles(page, look);
}

/** The files beside a terminal, and the dialogs that change one. */
async function shootFiles(page: Page, look: Look): Promise<void> {
  await page.getByRole("button", { name: "Files" }).click();
  const files = page.getByRole("list", { name: "Files of this folder" });
  const upload = page.getByRole("button", { name: "Upload" });
  await upload.and(page.locator(":enabled")).waitFor();
  const buffer = Buffer.from("a letter\n");
  await page
    .locator('input[type="file"]')
    .setInputFiles({ name: "letter.txt", mimeType: "text/plain", buffer });
  await files.getByText("letter.txt").waitFor();
  await page.getByText("done").waitFor();
  await shoot(page, "terminal-files", look);
  for (const action of ["Rename", "Delete"]) {
    await page.getByRole("button", { name: "More for letter.txt" }).click();
    await page.getByRole("menuitem", { name: action }).click();
    const dialog = page.getByRole(action === "Delete" ? "alertdialog" : "dialog");
    await dialog.waitFor();
    await shoot(page, `terminal-${action.toLowerCase()}`, look);
    await dialog.getByRole("button", { name: action === "Delete" ? "Delete" : "Cancel" }).click();
    await dialog.waitFor({ state: "detached" });
  }
}

/** A page whose session ends in four minutes. */
async function shootEnding(page: Page, setUp: SetUp, look: Look): Promise<void> {
  const body = `data: ${JSON.stringify({ kinds: [], ending: { seconds_left: 240, may_extend: true } })}\n\n`;
  await page.route("**/api/live", (route) => route.fulfill({ contentType: "text/event-stream", body }));
  await page.goto(`${setUp.lab.url}/machines`);
  await page.getByRole("button", { name: "Stay signed in" }).waitFor();
  await shoot(page, "session-ends", look);
}

/** Before there is an account, and before anybody signed in. */
async function shootOutside(context: BrowserContext, setUp: SetUp, empty: Lab, look: Look): Promise<void> {
  const { page } = await openPage(context);
  const link = /http\S+\/setup\/\S+/.exec(empty.managementLog())?.[0] ?? "";
  const body = {
    email: `${look.width}${look.theme}@example.com`,
    name: "new",
    role: "user",
    auto_groups: [],
  };
  const invited = await setUp.lab.api<{ invite_link: string }>("POST", "/api/users", {
    ...{ ...body, is_service_user: false },
  });
  const places = [
    ["set-up", link],
    ["password", invited.invite_link],
  ] as const;
  const ours = OUTSIDE.map(([name, path]): Place => [name, setUp.lab.url + path]);
  for (const [name, url] of [...places, ...ours].filter(([one]) => isAsked(one))) {
    await page.goto(url);
    await page.getByRole("heading", { level: 1 }).waitFor();
    await shoot(page, name, look);
  }
}

mkdirSync(FOLDER, { recursive: true });
await using setUp = await openSetUp({
  ...{ accounts: [["deploy"]], groups: { leads: "Team leads" }, people: { ada: ["devs"], grace: ["leads"] } },
  machines: { web1: ["--enable-ssh-sftp"], db1: ["--allow-managed-upgrades"] },
});
await using empty = await openLab({ start: false });
await empty.serveManagement();
const browser = await openChromium();
try {
  await fill(setUp, browser);
  const shell = setUp.device.terminal(["ssh", `${setUp.account.name}@web1`]);
  await shell.expect(/[$#] /);
  const live = () => setUp.lab.api<unknown[]>("GET", "/api/sessions?state=live");
  await setUp.lab.until("the live session", async () => (await live()).length > 0);
  const places = [...PAGES, ...(await details(setUp))];
  for (const width of WIDTHS.filter((one) => isAsked(String(one), WIDTHS.map(String)))) {
    for (const theme of THEMES.filter((one) => isAsked(one, THEMES))) {
      const look: Look = { width, theme };
      await using owners = await openLook(browser, look);
      await shootPages((await openPage(owners)).page, setUp, places, look);
      await using outside = await openLook(browser, look);
      await shootOutside(outside, setUp, empty, look);
      await using persons = await openLook(browser, look);
      if (isAsked("terminal")) await shootPerson(persons, setUp, look);
    }
  }
  shell.process.kill();
} finally {
  await browser.close();
}
process.stdout.write(`${FOLDER}\n`);
process.exitCode = 0;
