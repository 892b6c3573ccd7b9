/**
 * `make test-dashboard`: every page as every role, in an account that has nothing yet and in one that has
 * some of everything, in both themes and in 320 pixels. `make test` opens each page as the owner only.
 *
 * ROLE in the environment: that role only.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { violationsOf } from "../support/axe.ts";
import { openChromium, openContext, openPage, signInByPage } from "../support/chromium.ts";
import { DASHBOARD_PAGES, settled } from "../support/dashboard-pages.ts";
import { type Lab, OWNER, openLab, type Person } from "../support/lab.ts";
import { LabTerminal } from "../support/lab-terminal.ts";
import { overflowIn320 } from "../support/narrow-page.ts";
import { openSetUp, type SetUp } from "../support/set-up.ts";

const ROLES = ["owner", "admin", "auditor", "user"] as const;
type Role = (typeof ROLES)[number];
const CHOSEN = ROLES.filter((role) => (process.env.ROLE ?? role) === role);
const THEMES = ["light", "dark"] as const;
/** What the API says no to is told on the page; the browser writes it down as well. */
const REFUSED = /status of 40[34]/;

let setUp: SetUp;
let empty: Lab;
let browser: Browser;
let fullPaths: string[];
beforeAll(async () => {
  [setUp, empty, browser] = await Promise.all([
    openSetUp({
      accounts: [["every", "--create-home", "--shell", "/bin/bash"]],
      groups: { leads: "Team leads" },
      people: { ada: ["devs"], grace: ["leads"] },
      policies: [{ rule: { ssh: { record: "best_effort" } } }],
      machines: { web1: ["--enable-ssh-sftp"], db1: [] },
    }),
    openLab(),
    openChromium(),
  ]);
  await fill();
  fullPaths = await detailPaths();
}, 400_000);
afterAll(async () => {
  await browser?.close();
  await setUp?.[Symbol.asyncDispose]();
  await empty?.[Symbol.asyncDispose]();
});

/** Sessions, their recordings, refusals, and a request. */
async function fill(): Promise<void> {
  const { lab, device, account } = setUp;
  await lab.api("POST", "/api/groups", { name: "On call", requestable: true, request_seconds_max: 14_400 });
  const command = [lab.executable, "ssh", "-t", `${account.name}@web1`, "echo recorded"];
  await new LabTerminal(command, lab.env(device.env()), lab.root).end();
  await device.ssh(["postgres@web1", "true"]);
  await using context = await openContext(browser);
  const { page } = await openPage(context);
  await signInByPage(page, lab.url, setUp.person);
  await page.getByRole("button", { name: "Ask for On call" }).click();
  await page.getByRole("textbox", { name: "Reason" }).fill("night shift");
  await page.getByRole("button", { name: "Ask", exact: true }).click();
  await page.getByRole("table", { name: "My requests" }).waitFor();
}

/** Pages of one thing. */
async function detailPaths(): Promise<string[]> {
  const { lab } = setUp;
  const first = async (path: string): Promise<{ id: string; connection_id: string }> =>
    lab.until(path, async () => (await lab.api<{ id: string; connection_id: string }[]>("GET", path))[0]);
  const recording = await first("/api/recordings");
  return [
    `/machines/${(await first("/api/peers")).id}`,
    `/policies/${(await first("/api/policies")).id}`,
    `/sessions/${recording.connection_id}`,
    `/sessions/${recording.connection_id}/recordings/${recording.id}`,
    "/sessions?show=history",
    `/requests/${(await first("/api/access/requests")).id}`,
    `/access?machine=web1`,
    "/nowhere",
  ];
}

/** Somebody with that role in the account of `lab`, made for it. */
async function personAs(lab: Lab, role: Role): Promise<Pick<Person, "email" | "password">> {
  if (role === "owner") return OWNER;
  const person = await lab.createPerson(`${role}@example.com`);
  await lab.setGroups(person, [], { role });
  return person;
}

describe.each(["empty", "full"] as const)("an account that is %s", (which) => {
  describe.each([...CHOSEN])("as %s", (role) => {
    let context: BrowserContext;
    let page: Page;
    let complaints: string[];
    let lab: Lab;
    beforeAll(async () => {
      lab = which === "empty" ? empty : setUp.lab;
      context = await openContext(browser);
      ({ page, complaints } = await openPage(context));
      await signInByPage(page, lab.url, await personAs(lab, role));
    }, 120_000);
    afterAll(() => context?.close());

    const look = async (path: string): Promise<string[]> => {
      const found: string[] = [];
      for (const colorScheme of THEMES) {
        await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
        await page.goto(lab.url + path);
        await settled(page);
        found.push(...(await violationsOf(page)).map((one) => `${path} ${colorScheme}: ${one}`));
      }
      found.push(...(await overflowIn320(page)).map((one) => `${path} 320: ${one}`));
      return [...found, ...complaints.splice(0).filter((one) => !REFUSED.test(one))];
    };

    test.each(DASHBOARD_PAGES)("%s keeps nobody out", async (path) => {
      expect(await look(path)).toEqual([]);
    });

    test.skipIf(which === "empty")("pages of one thing keep nobody out", async () => {
      const found: string[] = [];
      for (const path of fullPaths) found.push(...(await look(path)));
      expect(found).toEqual([]);
    });
  });
});
