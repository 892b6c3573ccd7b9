/** What keeps people from using a page, as far as axe sees. */
import { readFileSync } from "node:fs";
import type { Page } from "playwright-core";

const AXE = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

/** Violations on the page as it stands, targets' sizes among them; empty where there are none. */
export async function violationsOf(page: Page): Promise<string[]> {
  await page.evaluate(AXE);
  return page.evaluate(async () => {
    // A colour on its way to another is neither; what turns for ever never comes to an end.
    await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
    const moving = document
      .getAnimations()
      .filter((one) => one.effect?.getComputedTiming().endTime !== Infinity);
    await Promise.allSettled(moving.map((one) => one.finished));
    // biome-ignore lint/suspicious/noExplicitAny: axe put itself there.
    const { axe } = window as any;
    const { violations: found } = await axe.run(document, { rules: { "target-size": { enabled: true } } });
    return found.flatMap((one: { id: string; nodes: { html: string }[] }) =>
      one.nodes.map(({ html }) => `${one.id}: ${html.slice(0, 160)}`),
    );
  });
}

/**
 * `violationsOf` in both themes, each with its name. The page is read anew for each, as a theme that changes
 * under it leaves some colours as they were until the next change; `settled` waits until it is there.
 */
export async function violationsInBothThemes(page: Page, settled: () => Promise<unknown>): Promise<string[]> {
  const found: string[] = [];
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    await page.reload();
    await settled();
    found.push(...(await violationsOf(page)).map((one) => `${colorScheme}: ${one}`));
  }
  return found;
}
