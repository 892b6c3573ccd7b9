/**
 * `make test-dashboard`: what axe does not see. Every page by Tab alone, in a wide window and a narrow one:
 * no trap, no focus that nobody sees. Dialogs keep the focus and give it back. Nothing ends by time alone.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { openChromium, openContext, openPage, signInByPage } from "../support/chromium.ts";
import { DASHBOARD_PAGES, settled } from "../support/dashboard-pages.ts";
import { faultsInDialog, faultsOfFocus } from "../support/focus-walk.ts";
import { OWNER } from "../support/lab.ts";
import { isRoot } from "../support/os-accounts.ts";
import { openSetUp, type SetUp } from "../support/set-up.ts";
import { until } from "../support/until.ts";

/** A page, what opens a dialog on it, and the dialog. */
const DIALOGS: readonly (readonly [path: string, button: string])[] = [
  ["/groups", "New group"],
  ["/groups", "Edit Developers"],
  ["/people", "Invite a person"],
  ["/people", "New service user"],
  ["/people", "Block"],
  ["/setup-keys", "New setup key"],
  ["/posture-checks", "New posture check"],
  ["/rollouts", "New rollout"],
  ["/policies/tests", "Add a test"],
  ["/settings/streams", "Add a stream"],
  ["/settings/notifications", "Add a channel"],
  ["/account", "New token"],
  ["/audit", "Details"],
];

describe.skipIf(!isRoot)("by the keyboard alone", () => {
  let setUp: SetUp;
  let browser: Browser;
  let context: BrowserContext;
  let page: Page;
  let details: string[];
  beforeAll(async () => {
    [setUp, browser] = await Promise.all([
      openSetUp({ accounts: [["keys"]], groups: { leads: "Team leads" }, machines: { web1: [], db1: [] } }),
      openChromium(),
    ]);
    context = await openContext(browser);
    ({ page } = await openPage(context));
    await signInByPage(page, setUp.lab.url, OWNER);
    const first = async (path: string): Promise<string> =>
      (await setUp.lab.api<{ id: string }[]>("GET", path))[0]?.id ?? "none";
    details = [
      `/machines/${await first("/api/peers")}`,
      `/people/${await first("/api/users?service_user=false")}`,
      `/groups/${setUp.devs}`,
      `/policies/${await first("/api/policies")}`,
    ];
  }, 300_000);
  afterAll(async () => {
    await browser?.close();
    await setUp?.[Symbol.asyncDispose]();
  });

  const open = async (path: string): Promise<void> => {
    await page.goto(setUp.lab.url + path);
    await settled(page);
  };

  describe.each([1280, 390])("in a window of %d pixels", (width) => {
    beforeAll(() => page.setViewportSize({ width, height: 800 }));

    test.each(DASHBOARD_PAGES)("%s has no trap and hides no focus", async (path) => {
      await open(path);
      expect(await faultsOfFocus(page)).toEqual([]);
    });

    test("pages of one thing have no trap and hide no focus", async () => {
      for (const path of details) {
        await open(path);
        expect([path, await faultsOfFocus(page)]).toEqual([path, []]);
      }
    });

    test.each(DIALOGS)("on %s %s opens what keeps the focus, and gives it back", async (path, button) => {
      await open(path);
      const opener = page.getByRole("main").getByRole("button", { name: button, exact: true }).first();
      await opener.focus();
      await page.keyboard.press("Enter");
      const dialog = page.getByRole("dialog").or(page.getByRole("alertdialog"));
      await dialog.waitFor();
      expect(await faultsInDialog(page)).toEqual([]);
      await page.keyboard.press("Escape");
      await dialog.waitFor({ state: "detached" });
      const has = () => opener.evaluate((one) => one === document.activeElement);
      await until("the opener has the focus again", has);
    });
  });

  test("no page goes on, closes or asks anything by time alone", async () => {
    await using other = await openContext(browser);
    const { page: waiting } = await openPage(other);
    await signInByPage(waiting, setUp.lab.url, OWNER);
    await waiting.clock.install();
    for (const path of [...DASHBOARD_PAGES, ...details]) {
      await waiting.goto(setUp.lab.url + path);
      await settled(waiting);
      const before = [waiting.url(), await waiting.getByRole("heading").allTextContents()];
      await waiting.clock.fastForward("30:00");
      await settled(waiting);
      expect([waiting.url(), await waiting.getByRole("heading").allTextContents()]).toEqual(before);
      expect(await waiting.getByRole("alertdialog").count()).toBe(0);
    }
  });
});
