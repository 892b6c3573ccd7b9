/** The keyboard as the only way: Tab until what is wanted has the focus. */
import type { Page } from "playwright-core";

/** More stops than a page of ours has. */
const STOPS_MAX = 120;

/** Ends with the focus on what is called `name`. Throws where Tab never comes there. */
export async function tabTo(page: Page, name: string): Promise<void> {
  const seen: string[] = [];
  for (let stop = 0; stop < STOPS_MAX; stop += 1) {
    await page.keyboard.press("Tab");
    const focused = await page.evaluate(nameOfFocused);
    if (focused === name) return;
    seen.push(focused);
  }
  throw new Error(`Tab never comes to ${JSON.stringify(name)}: ${JSON.stringify([...new Set(seen)])}`);
}

/** As far as our pages name things: by a label, by words for readers, else by their text. */
function nameOfFocused(): string {
  const element = document.activeElement;
  if (element === null) return "";
  const label = element.id === "" ? null : document.querySelector(`label[for="${CSS.escape(element.id)}"]`);
  const words = element.getAttribute("aria-label") ?? label?.textContent ?? element.textContent ?? "";
  return words.trim();
}
