/** Recordings in a browser: played, searched, kept, and watched while the session goes on. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import type { Browser, BrowserContext, Page } from "playwright-core";
import type { Recording } from "../../src/wire/recording.ts";
import { violationsInBothThemes } from "../support/axe.ts";
import { openChromium, openContext, openPage, signInByPage } from "../support/chromium.ts";
import { OWNER } from "../support/lab.ts";
import { LabTerminal } from "../support/lab-terminal.ts";
import { overflowIn320 } from "../support/narrow-page.ts";
import { isRoot } from "../support/os-accounts.ts";
import { openSetUp, type SetUp } from "../support/set-up.ts";
import { shows } from "../support/terminal-page.ts";

/** What a machine could print to get at the page that plays it. */
const HOSTILE = [
  "<script>document.title='taken'</script>",
  '<img src=x onerror="document.title=1">',
  '"><svg onload=alert(1)>',
  "javascript:alert(1)",
  "&lt;b&gt;&#x3c;i&#x3e;",
  "{{constructor.constructor('alert(1)')()}}",
  "\u001b]0;taken\u0007",
  "\u001b]8;;javascript:alert(1)\u0007link\u001b]8;;\u0007",
  "\u001b]52;c;dGFrZW4=\u0007",
  "\u001bPq#0;2;0;0;0\u001b\\",
  "\u001b[>c\u001b[6n",
  "\u202egnp.exe",
  "\ufffe\u2028\u2029",
] as const;

describe.skipIf(!isRoot)("recordings on a page", () => {
  let setUp: SetUp;
  let browser: Browser;
  let context: BrowserContext;
  let page: Page;
  let complaints: string[];
  let recording: Recording;
  beforeAll(async () => {
    [setUp, browser] = await Promise.all([
      openSetUp({
        accounts: [["play", "--create-home", "--shell", "/bin/bash"]],
        policies: [{ rule: { ssh: { record: "best_effort" } } }],
      }),
      openChromium(),
    ]);
    context = await openContext(browser);
    ({ page, complaints } = await openPage(context));
    const shell = openShell();
    await shell.expect(/[$#] $/);
    const hostile = `/home/${setUp.account.name}/hostile`;
    writeFileSync(hostile, HOSTILE.map((line) => `${line}\n`).join(""));
    shell.type("cat hostile\r");
    await shell.expect(/gnp\.exe/);
    // So that there is something to play, and to wait for.
    shell.type("sleep 3; echo slept-$((1 + 1))\r");
    await shell.expect(/slept-2/);
    shell.type("cat\r");
    await shell.expect(/cat\r\n/);
    shell.type("typed to cat\r");
    await shell.expect(/typed to cat\r\ntyped to cat/);
    shell.type("\u0004");
    shell.type("echo the-$((40 + 2))nd; exit\r");
    await shell.expect(/the-42nd/);
    await shell.end();
    recording = await setUp.lab.until("the recording", async () =>
      (await recordings()).find(({ status }) => status === "complete"),
    );
    await signInByPage(page, setUp.lab.url, OWNER, "/sessions?show=history");
  }, 240_000);
  afterAll(async () => {
    await browser?.close();
    await setUp?.[Symbol.asyncDispose]();
  });

  const recordings = () => setUp.lab.api<Recording[]>("GET", "/api/recordings");
  const openShell = () =>
    new LabTerminal(
      [setUp.lab.executable, "ssh", "-t", `${setUp.account.name}@web1`],
      { ...setUp.lab.env(setUp.device.env()), TERM: "xterm-256color", LC_ALL: "C.UTF-8" },
      setUp.lab.root,
    );
  const addressOf = ({ connection_id, id }: Recording) =>
    `${setUp.lab.url}/sessions/${connection_id}/recordings/${id}`;
  const screen = (of: Page) => of.getByRole("region", { name: "Screen of the recording" });
  const open = async (of: Page, address: string): Promise<void> => {
    await of.goto(address);
    await screen(of).waitFor();
  };

  test("two clicks from the history to the player, which plays to the end, and from the beginning again", async () => {
    await page
      .getByRole("table", { name: "Sessions that have ended" })
      .getByRole("link", { name: "ada@example.com" })
      .first()
      .click();
    await page.getByRole("table", { name: "Recordings" }).getByRole("link", { name: "Play" }).click();
    await screen(page).waitFor();
    expect(page.url()).toBe(addressOf(recording));
    await page.getByRole("radio", { name: "10×" }).click();
    await page.getByRole("button", { name: "Play", exact: true }).click();
    await screen(page).getByText("the-42nd").waitFor();
    await page.getByRole("button", { name: "Play", exact: true }).waitFor();
    await page.getByRole("radio", { name: "0.5×" }).click();
    await page.getByRole("button", { name: "Play", exact: true }).click();
    await page.getByRole("button", { name: "Pause" }).click();
    await page.getByRole("button", { name: "Play", exact: true }).waitFor();
    expect(await screen(page).getByText("the-42nd").count()).toBe(0);
  }, 120_000);

  test("chapters, search and what was typed lead to their moment, which stands in the address", async () => {
    await open(page, addressOf(recording));
    const chapters = page.getByRole("list", { name: "Chapters" });
    await chapters.getByRole("button", { name: /^\d+:\d\d ?cat$/ }).waitFor();
    await chapters.getByRole("button", { name: /echo the-/ }).click();
    await screen(page).getByText("typed to cat").first().waitFor();
    expect(Number(new URL(page.url()).searchParams.get("t"))).toBeGreaterThan(0);
    const typed = page.getByRole("list", { name: "Typed" });
    await typed.getByRole("button", { name: /typed to cat⏎/ }).waitFor();
    await page.getByRole("textbox", { name: "Text in the recording" }).fill("THE-42");
    await page.getByText("1 line", { exact: true }).waitFor();
    await page.getByRole("list", { name: "Found" }).getByRole("button").click();
    await screen(page).getByText("the-42nd").waitFor();
    const moment = page.url();
    await page.goto(`${setUp.lab.url}/account`);
    await open(page, moment);
    await screen(page).getByText("the-42nd").waitFor();
  }, 120_000);

  test("it is moved by keys alone, and cut idle time is a choice", async () => {
    await open(page, addressOf(recording));
    const slider = page.getByRole("slider", { name: "Moment" });
    await slider.focus();
    await page.keyboard.press("End");
    await screen(page).getByText("the-42nd").waitFor();
    await page.keyboard.press("Home");
    await screen(page).getByText("the-42nd").waitFor({ state: "detached" });
    await page.getByRole("switch", { name: "Cut idle time" }).focus();
    await page.keyboard.press("Space");
    await slider.focus();
    await page.keyboard.press("End");
    await screen(page).getByText("the-42nd").waitFor();
  }, 120_000);

  test("what a machine printed is text, drives nothing, and reaches nothing", async () => {
    await open(page, addressOf(recording));
    await page.getByRole("textbox", { name: "Text in the recording" }).fill("gnp.exe");
    await page.getByRole("list", { name: "Found" }).getByRole("button").click();
    await screen(page).getByText("<script>document.title='taken'</script>").first().waitFor();
    const main = page.getByRole("main");
    expect(await main.locator("img, script, iframe, a[href^='javascript']").count()).toBe(0);
    expect(await main.getByRole("link", { name: "link" }).count()).toBe(0);
    expect(await page.title()).toStartWith("Recording of");
    expect(complaints.splice(0)).toEqual([]);
  }, 120_000);

  test("it keeps nobody out, in both themes, fits 320 pixels, and is kept as it was stored", async () => {
    await open(page, addressOf(recording));
    expect(await violationsInBothThemes(page, () => screen(page).waitFor())).toEqual([]);
    expect(await overflowIn320(page)).toEqual([]);
    const downloading = page.waitForEvent("download");
    await page.getByRole("button", { name: "Download" }).click();
    const kept = readFileSync(await (await downloading).path(), "utf8");
    const exported = `${setUp.lab.root}/exported.cast`;
    const env = { QF_TOKEN: setUp.lab.token, QF_MANAGEMENT_URL: setUp.lab.url };
    await setUp.lab.qf(["session", "replay", recording.id, "--export", exported], { env });
    expect(kept).toBe(readFileSync(exported, "utf8"));
    expect(complaints.splice(0)).toEqual([]);
  }, 120_000);

  test("of an encrypted one it says how to play it, and reads none of it", async () => {
    const asked: string[] = [];
    const recipients = [`age1${"q".repeat(58)}`];
    await page.route(/\/api\/recordings\//, async (route) => {
      asked.push(route.request().url());
      await route.fulfill({ json: { ...recording, encrypted: true, recipients } });
    });
    await page.goto(addressOf(recording));
    const command = page.getByText(`qf session replay ${recording.id} --identity FILE`);
    await command.waitFor();
    expect(await violationsInBothThemes(page, () => command.waitFor())).toEqual([]);
    expect(asked.filter((url) => url.includes("/chunks"))).toEqual([]);
    await page.unroute(/\/api\/recordings\//);
  }, 120_000);

  test("its person plays it too; to another one there is no such recording", async () => {
    await using own = await openContext(browser);
    const { page: adas } = await openPage(own);
    await signInByPage(adas, setUp.lab.url, setUp.person);
    await open(adas, addressOf(recording));
    await using others = await openContext(browser);
    const { page: bobs } = await openPage(others);
    await signInByPage(bobs, setUp.lab.url, await setUp.lab.createPerson("bob@example.com"));
    await bobs.goto(addressOf(recording));
    await bobs.getByRole("heading", { level: 1, name: "This recording is gone" }).waitFor();
    expect(await screen(bobs).count()).toBe(0);
  }, 120_000);

  test("a session that goes on is watched as it goes, and ended from there", async () => {
    const shell = openShell();
    await shell.expect(/[$#] $/);
    shell.type("echo before-$((1 + 1))\r");
    await shell.expect(/before-2/);
    await page.goto(`${setUp.lab.url}/sessions`);
    await page
      .getByRole("table", { name: "Live sessions" })
      .getByRole("link", { name: "ada@example.com" })
      .click();
    await page.getByRole("table", { name: "Recordings" }).getByRole("link", { name: "Watch" }).click();
    await shows(page, "before-2");
    shell.type("echo after-$((1 + 1))\r");
    await shows(page, "after-2");
    expect(await violationsInBothThemes(page, () => shows(page, "after-2"))).toEqual([]);
    await page.getByRole("region", { name: "Screen" }).click();
    await page.keyboard.type("echo intruder");
    await page.getByRole("button", { name: /^End the session of ada@example.com/ }).click();
    await page.getByRole("textbox", { name: "Reason" }).fill("seen enough");
    await page.getByRole("button", { name: "End session" }).click();
    await shell.expect(/ended this session: seen enough/);
    await shell.end();
    expect(shell.text).not.toContain("intruder");
    await page
      .getByText("whole", { exact: true })
      .or(page.getByText("not whole", { exact: true }))
      .waitFor();
    expect(complaints.splice(0)).toEqual([]);
  }, 120_000);
});
