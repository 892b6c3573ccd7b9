/** A page by Tab alone: where the focus goes, whether one sees it there, and whether it comes out again. */
import type { Page } from "playwright-core";

/** More stops than a page of ours has. */
const STOPS_MAX = 400;

interface Stop {
  /** `again`: it was there before. `out`: it is on nothing of the page. */
  readonly where: "new" | "again" | "out";
  readonly name: string;
  readonly faults: readonly string[];
}

/** Goes through the page with Tab, and back. What is wrong, empty where nothing is. */
export async function faultsOfFocus(page: Page): Promise<string[]> {
  await page.evaluate(beginWalk);
  const faults: string[] = [];
  const there = await walk(page, "Tab", faults);
  faults.push(...(await page.evaluate(neverReached)));
  await page.evaluate(beginWalk);
  const back = await walk(page, "Shift+Tab", []);
  if (back < there) faults.push(`Shift and Tab come to ${back} of ${there} stops`);
  return faults;
}

/** Goes through an open dialog: it keeps the focus, and shows it. */
export async function faultsInDialog(page: Page): Promise<string[]> {
  await page.evaluate(() => {
    (window as unknown as Walking).seenByTab = new Set();
  });
  const faults: string[] = [];
  for (let stop = 0; stop < STOPS_MAX; stop += 1) {
    const now = await page.evaluate(lookAtFocus);
    if (now.where === "again") return faults;
    if (now.where === "out") return [...faults, "nothing in it has the focus"];
    faults.push(...now.faults);
    const isInside = await page.evaluate(() => document.activeElement?.closest("[role$=dialog]") !== null);
    if (!isInside) return [...faults, `the focus left it for ${now.name}`];
    await page.keyboard.press("Tab");
  }
  return [...faults, "there is no end of stops"];
}

async function walk(page: Page, key: string, faults: string[]): Promise<number> {
  for (let stop = 0; stop < STOPS_MAX; stop += 1) {
    await page.keyboard.press(key);
    const now = await page.evaluate(lookAtFocus);
    faults.push(...now.faults);
    if (now.where === "out" && stop > 0) return stop;
    if (now.where === "again") {
      const isFirst = await page.evaluate(
        () => document.activeElement === [...(window as unknown as Walking).seenByTab][0],
      );
      if (!isFirst) faults.push(`${key} does not come out of ${now.name}`);
      return stop;
    }
  }
  faults.push(`${key} has no end of stops`);
  return STOPS_MAX;
}

interface Walking {
  seenByTab: Set<Element>;
}

/** In the page: the next Tab goes to its first stop, Shift and Tab to its last. */
function beginWalk(): void {
  (window as unknown as Walking).seenByTab = new Set();
  (document.activeElement as HTMLElement | null)?.blur();
  document.body.tabIndex = -1;
  document.body.focus();
  document.body.removeAttribute("tabindex");
}

/** In the page: what has the focus, and whether a person sees that it has. */
function lookAtFocus(): Stop {
  const element = document.activeElement;
  const seen = (window as unknown as Walking).seenByTab;
  if (element === null || element === document.body) return { where: "out", name: "", faults: [] };
  const label = element.getAttribute("aria-label") ?? element.textContent ?? "";
  const name = `${element.tagName.toLowerCase()} ${JSON.stringify(label.trim().slice(0, 40))}`;
  if (seen.has(element)) return { where: "again", name, faults: [] };
  seen.add(element);
  const box = element.getBoundingClientRect();
  const middle = box.top + box.height / 2;
  const spots = [box.left + 3, box.left + box.width / 2, box.right - 3];
  const isAt = (x: number): boolean => {
    const top = document.elementFromPoint(x, middle);
    return top !== null && (element.contains(top) || top.contains(element));
  };
  const isRinged = [element, element.parentElement].some((one) => {
    if (one === null) return false;
    const { outlineStyle, outlineWidth } = getComputedStyle(one);
    return outlineStyle !== "none" && Number.parseFloat(outlineWidth) >= 2;
  });
  const faults = [
    box.width < 4 || box.height < 4 ? `${name} is too small to be seen` : "",
    spots.some(isAt) ? "" : `${name} is hidden when it has the focus`,
    isRinged ? "" : `${name} has no ring`,
  ];
  return { where: "new", name, faults: faults.filter(Boolean) };
}

/** In the page: what could be used by a pointer, and Tab has not come to. */
function neverReached(): string[] {
  const { seenByTab } = window as unknown as Walking;
  const controls = "a[href], button, input, select, textarea, [tabindex]";
  return (
    [...document.querySelectorAll<HTMLElement>(controls)]
      .filter(
        (one) => one.tabIndex >= 0 && !one.matches(":disabled, [aria-hidden=true] *, [aria-hidden=true]"),
      )
      .filter((one) => one.checkVisibility({ checkVisibilityCSS: true }) && !seenByTab.has(one))
      // Groups of radio buttons: one of them has the focus for all.
      .filter((one) => ![...seenByTab].some((seen) => one.contains(seen)))
      .map((one) => `Tab never comes to ${one.outerHTML.slice(0, 100)}`)
  );
}
