/** A terminal on a page, as a person uses it. */
import type { Page } from "playwright-core";
import { signInAtProvider } from "./chromium.ts";
import type { SetUp } from "./set-up.ts";

/** Goes through the sign-in of a terminal, and waits for its shell. */
export async function signInToTerminal(page: Page, setUp: SetUp): Promise<void> {
  await signInForTerminal(page, (popup) => signInAtProvider(popup, setUp.person));
  await shows(page, "$");
}

/** The sign-in alone; the caller waits for what comes of it. `atProvider` fills the provider's form. */
export async function signInForTerminal(
  page: Page,
  atProvider: (popup: Page) => Promise<void>,
): Promise<void> {
  const shown = await page.locator("code").first().textContent();
  const [popup] = await Promise.all([
    page.context().waitForEvent("page"),
    page.getByRole("link", { name: "Sign in" }).click(),
  ]);
  await popup.getByText(shown ?? "", { exact: true }).waitFor();
  await popup.getByRole("button", { name: "Continue" }).click();
  await atProvider(popup);
  const code = await popup.locator("#code").textContent();
  await popup.close();
  await page.getByRole("textbox", { name: "The code that it shows" }).fill(code ?? "");
  await page.getByRole("button", { name: "Connect" }).click();
}

/** Types into the shell of that number. */
export async function type(page: Page, text: string, shell = 0): Promise<void> {
  await page.locator(".xterm-helper-textarea").nth(shell).focus();
  await page.keyboard.type(text.replaceAll("\n", ""));
  if (text.endsWith("\n")) await page.keyboard.press("Enter");
}

/** Waits until a shell shows it. */
export async function shows(page: Page, text: string | RegExp, timeout = 30_000): Promise<void> {
  await page.waitForFunction(
    ([source, isPattern]) => {
      const shown = [...document.querySelectorAll(".xterm-rows")].map((rows) => rows.textContent ?? "");
      return shown.some((one) => (isPattern ? new RegExp(source).test(one) : one.includes(source)));
    },
    typeof text === "string" ? ([text, false] as const) : ([text.source, true] as const),
    { timeout },
  );
}
