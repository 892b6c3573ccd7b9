/** Addresses of the dashboard: every page that needs nothing but an account, with what is open on it. */
import type { Page } from "playwright-core";

export const DASHBOARD_PAGES = [
  "/",
  "/machines",
  "/machines/add",
  "/overview",
  "/start?step=policy",
  "/devices",
  "/people",
  "/groups",
  "/setup-keys",
  "/rollouts",
  "/policies",
  "/policies/new",
  "/policies/tests",
  "/policies/history",
  "/policies/file",
  "/access",
  "/sessions",
  "/requests",
  "/audit",
  "/settings",
  "/settings/sign-in",
  "/settings/security",
  "/settings/streams",
  "/account",
  "/terminal/web1",
  "/terminal/web1?as=nobody",
] as const;

/** Waits until the page has all that it shows. */
export async function settled(page: Page): Promise<void> {
  await page.getByRole("heading", { level: 1 }).or(page.getByRole("alert")).first().waitFor();
  await page.waitForFunction(() => document.querySelector('[aria-label="Loading"]') === null);
}
