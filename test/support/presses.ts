/** What a person presses on a page: pointer, Enter, Space on a control, Control K. Typing is free. */
import type { BrowserContext, Page } from "playwright-core";

const STORED = "qf-test-presses";

/** Counts in every page of the context, from now on. */
export async function countPresses(context: BrowserContext): Promise<void> {
  await context.addInitScript((name) => {
    const add = (): void => {
      sessionStorage.setItem(name, String(Number(sessionStorage.getItem(name) ?? "0") + 1));
    };
    window.addEventListener("pointerdown", (event) => event.isTrusted && add(), true);
    window.addEventListener(
      "keydown",
      (event: KeyboardEvent) => {
        if (!event.isTrusted || event.repeat) return;
        const isTyped = event.target instanceof HTMLInputElement && event.target.type !== "checkbox";
        if (event.key === "Enter" || (event.key === " " && !isTyped)) add();
        if (event.key === "k" && (event.ctrlKey || event.metaKey)) add();
      },
      true,
    );
  }, STORED);
}

/** How many presses `job` takes on `page`, beside those within `uncounted`. */
export async function pressesOf(
  page: Page,
  job: (uncounted: (free: () => Promise<unknown>) => Promise<void>) => Promise<void>,
): Promise<number> {
  const read = (): Promise<number> =>
    page.evaluate((name) => Number(sessionStorage.getItem(name) ?? "0"), STORED);
  let free = 0;
  const before = await read();
  await job(async (run) => {
    const from = await read();
    await run();
    free += (await read()) - from;
  });
  return (await read()) - before - free;
}
