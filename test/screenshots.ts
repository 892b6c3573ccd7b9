/**
 * `make screenshots`: each page of the dashboard at three widths in both themes, into `dist/screenshots`.
 */
import { mkdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { openChromium, openContext, openPage, signInByPage } from "./support/chromium.ts";
import { OWNER } from "./support/lab.ts";
import { openSetUp } from "./support/set-up.ts";

const FOLDER = resolve(import.meta.dir, "../dist/screenshots");
const WIDTHS = [390, 1280, 1920] as const;
const PAGES: readonly (readonly [name: string, path: string])[] = [
  ["my-access", "/"],
  ["overview", "/overview"],
  ["start", "/start"],
  ["machines", "/machines"],
  ["add-machine", "/machines/add"],
  ["devices", "/devices"],
  ["people", "/people"],
  ["groups", "/groups"],
  ["setup-keys", "/setup-keys"],
  ["policies", "/policies"],
  ["policy-new", "/policies/new"],
  ["policy-tests", "/policies/tests"],
  ["policy-file", "/policies/file"],
  ["access", "/access?machine=web1"],
  ["sessions", "/sessions"],
  ["sessions-history", "/sessions?show=history"],
  ["audit", "/audit"],
  ["settings", "/settings"],
  ["settings-security", "/settings/security"],
  ["settings-streams", "/settings/streams"],
  ["settings-notifications", "/settings/notifications"],
  ["account", "/account"],
  ["terminal", "/terminal/web1?as=deploy"],
];

mkdirSync(FOLDER, { recursive: true });
await using setUp = await openSetUp({ accounts: [["deploy"]], machines: { web1: [], db1: [] } });
const browser = await openChromium();
try {
  for (const width of WIDTHS) {
    for (const dark of [false, true]) {
      await using context = await openContext(browser, {
        width,
        height: Math.round(width * 0.65) + 200,
        dark,
      });
      const { page } = await openPage(context);
      await signInByPage(page, setUp.lab.url, OWNER);
      for (const [name, path] of PAGES) {
        await page.goto(setUp.lab.url + path);
        await page.getByRole("heading", { level: 1 }).waitFor();
        await page.waitForFunction(() => document.querySelector('[aria-label="Loading"]') === null);
        await page.screenshot({ path: join(FOLDER, `${name}-${width}-${dark ? "dark" : "light"}.png`) });
      }
    }
  }
} finally {
  await browser.close();
}
process.stdout.write(`${FOLDER}\n`);
process.exitCode = 0;
