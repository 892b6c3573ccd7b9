/**
 * `make test-dashboard`: the page of components in a development build, in both themes; and that a build
 * without it has no such address.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { Browser } from "playwright-core";
import { violationsInBothThemes } from "../support/axe.ts";
import { openChromium, openContext, openPage, signInByPage } from "../support/chromium.ts";
import { Lab, OWNER, openLab } from "../support/lab.ts";
import { overflowIn320 } from "../support/narrow-page.ts";
import { isRoot } from "../support/os-accounts.ts";

const ROOT = resolve(import.meta.dir, "../..");

describe.skipIf(!isRoot)("the page of components", () => {
  let folder: string;
  let browser: Browser;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "qf-development-"));
    browser = await openChromium();
  }, 60_000);
  afterAll(async () => {
    await browser?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  test("is in a development build, and keeps nobody out", async () => {
    const executable = join(folder, "qf");
    const built = Bun.spawnSync([process.execPath, "build.ts"], {
      cwd: ROOT,
      env: {
        ...process.env,
        QF_OUTFILE: executable,
        QF_DEVELOPMENT_PAGES: "1",
        QF_DASHBOARD_FOLDER: join(folder, "dashboard"),
      },
    });
    expect([built.exitCode, built.stderr.toString()]).toEqual([0, expect.anything()]);
    await using lab = new Lab(executable, mkdtempSync(join(tmpdir(), "qf-lab-")));
    await lab.initManagement();
    await lab.serveManagement();
    await using context = await openContext(browser, { width: 1600 });
    const { page, complaints } = await openPage(context);
    await signInByPage(page, lab.url, OWNER, "/dev/components");
    const shown = () => page.getByRole("heading", { level: 1, name: "Components" }).waitFor();
    await shown();
    expect(await violationsInBothThemes(page, shown)).toEqual([]);
    expect(await overflowIn320(page)).toEqual([]);
    if (process.env.SHOW !== undefined) {
      await page.setViewportSize({ width: 1600, height: 2600 });
      await page.screenshot({ path: process.env.SHOW });
    }
    expect(complaints).toEqual([]);
  }, 300_000);

  test("is in no other: its address is not there", async () => {
    await using lab = await openLab();
    await using context = await openContext(browser);
    const { page } = await openPage(context);
    await signInByPage(page, lab.url, OWNER);
    const answer = await page.goto(`${lab.url}/dev/components`);
    expect(answer?.status()).toBe(404);
  }, 120_000);
});
