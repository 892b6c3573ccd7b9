/**
 * Debian's Chromium, driven by playwright-core, for pages with script. One browser for a file, one context,
 * which is a person with cookies of their own, for each sign-in.
 */
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";
import type { Credentials } from "./sign-in.ts";

/** Root needs no sandbox of its own here: the pages are ours. */
const ARGS = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--force-color-profile=srgb"];
/** Two busy cores make pages slow; what is waited for ends the wait. */
const WAIT_MS = 30_000;

export function openChromium(): Promise<Browser> {
  return chromium.launch({ executablePath: "/usr/bin/chromium", args: ARGS, timeout: 60_000 });
}

/** What a page said that it should not have: errors of script, refusals of its policy. */
export interface WatchedPage {
  readonly page: Page;
  readonly complaints: string[];
}

export interface ContextOptions {
  readonly width?: number;
  readonly height?: number;
  readonly dark?: boolean;
}

export async function openContext(browser: Browser, options: ContextOptions = {}): Promise<BrowserContext> {
  const { width = 1280, height = 800, dark = false } = options;
  const context = await browser.newContext({
    viewport: { width, height },
    colorScheme: dark ? "dark" : "light",
    reducedMotion: "reduce",
  });
  context.setDefaultTimeout(WAIT_MS);
  return context;
}

export async function openPage(context: BrowserContext): Promise<WatchedPage> {
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on("pageerror", (error) => complaints.push(`error: ${error.message}`));
  page.on("console", (message) => {
    if (message.type() === "error" || /Content.Security.Policy/i.test(message.text()))
      complaints.push(`${message.text()} ${message.location().url}`.trim());
  });
  return { page, complaints };
}

/** Opens `path` signed out, and signs in at the embedded provider. Ends at `path`. */
export async function signInByPage(page: Page, origin: string, who: Credentials, path = "/"): Promise<void> {
  await page.goto(origin + path);
  await page.getByRole("link", { name: "Sign in to the dashboard" }).click();
  await signInAtProvider(page, who);
}

/** Fills the embedded provider's form. */
export async function signInAtProvider(page: Page, who: Credentials): Promise<void> {
  await page.getByLabel("E-mail").fill(who.email);
  await page.getByLabel("Password").fill(who.password);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("main").waitFor();
}

/** Confirms what a dialog was refused, in the tab that its link opens. The button is then pressed again. */
export async function confirmInTab(page: Page, who: Credentials): Promise<void> {
  const opened = page.context().waitForEvent("page");
  await page.getByRole("link", { name: "Sign in again to confirm it" }).click();
  const tab = await opened;
  await signInAtProvider(tab, who);
  await tab.getByRole("heading", { name: "Confirm this change" }).waitFor();
  await tab.getByRole("button", { name: "Confirm" }).click();
  await tab.getByRole("heading", { name: "Confirmed" }).waitFor();
  await tab.close();
}
