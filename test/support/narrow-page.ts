/** A page in a window of 320 pixels. Pages scroll inside their main part, which is looked at as well. */
import type { Page } from "playwright-core";

const SETTLED_MS = 15_000;
const NARROW = { width: 320, height: 640 };

/** What is wider than the window, outermost first; empty where all fits. The window gets its size back. */
export async function overflowIn320(page: Page): Promise<string[]> {
  const before = page.viewportSize();
  await page.setViewportSize(NARROW);
  try {
    // What is drawn anew for the narrow window may take some turns.
    const fitting = page.waitForFunction(fitsItsWindow, undefined, { timeout: SETTLED_MS });
    const fits = await fitting.then(Boolean, () => false);
    if (fits) return [];
    return await page.evaluate(() =>
      [...document.querySelectorAll("body *")]
        .filter((one) => one.getBoundingClientRect().right > window.innerWidth)
        .map((one) => `${one.tagName} ${one.getAttribute("class")}: ${(one.textContent ?? "").slice(0, 40)}`)
        .concat("the page is wider than its window"),
    );
  } finally {
    if (before !== null) await page.setViewportSize(before);
  }
}

/** In the page. */
function fitsItsWindow(): boolean {
  const boxes = [document.documentElement, ...document.querySelectorAll("[data-scroller]")];
  return boxes.every(({ scrollWidth, clientWidth }) => scrollWidth <= clientWidth);
}
