/**
 * The dashboard in Chromium, on an account of 10,000 machines: what comes with the first page, when the list
 * is there, how it scrolls, and how fast it is filtered. Nothing is kept by the browser from before.
 */
import { rmSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { openChromium, openContext, openPage, signInByPage } from "../support/chromium.ts";
import { Lab, OWNER } from "../support/lab.ts";
import { seedAccount } from "./agents-account.ts";
import { type Bench, kB, median, ms, type Part, percentile } from "./figures.ts";

const MACHINES = 10_000;
const LOADS = 5;
const FILTERS = ["m", "ma", "mac", "zz", "mach"] as const;
const FRAMES = 180;
const FRAME_PX = 240;
const WAIT_MS = 120_000;

export const dashboardPart: Part = {
  name: "dashboard",
  async run(bench) {
    const root = await mkdtemp(join(tmpdir(), "qf-bench-dashboard-"));
    const lab = new Lab(bench.executable, root);
    const browser = await openChromium();
    try {
      await lab.initManagement();
      await seedAccount(lab.dataDir, lab.accountId, MACHINES);
      await lab.serveManagement();
      await measure(bench, lab, browser);
    } finally {
      await browser.close();
      await lab[Symbol.asyncDispose]();
      rmSync(root, { recursive: true, force: true });
    }
  },
};

interface Load {
  readonly paintMs: number;
  readonly listMs: number;
  readonly shift: number;
  readonly scriptBytes: number;
}

async function measure({ add }: Bench, lab: Lab, browser: Browser): Promise<void> {
  const loads: Load[] = [];
  for (let i = 0; i < LOADS; i++) loads.push(await firstLoad(lab, browser));
  const of = (name: keyof Load): number => median(loads.map((load) => load[name]));
  const [paintMs, listMs, shift, scriptBytes] = [of("paintMs"), of("listMs"), of("shift"), of("scriptBytes")];
  add({
    ...{ what: "dashboard: script of the first load, compressed", ours: kB(scriptBytes), reach: "<= 200 kB" },
    figures: { scriptBytes },
  });
  add({
    ...{
      what: "dashboard: largest paint of the list of 10,000 machines",
      ours: ms(paintMs),
      reach: "<= 1 s",
    },
    figures: { paintMs },
  });
  add({
    ...{ what: "dashboard: rows of 10,000 machines on the screen", ours: ms(listMs), reach: "<= 1 s" },
    figures: { machines: MACHINES, listMs },
  });
  add({
    ...{ what: "dashboard: layout shift of that page", ours: shift.toFixed(3), reach: "0" },
    figures: { shift },
  });
  const page = await openList(lab, browser);
  const frames = await page.evaluate(scroll, { frames: FRAMES, px: FRAME_PX });
  const late = (100 * frames.filter((spent) => spent > 25).length) / frames.length;
  add({
    what: "dashboard: a frame while 10,000 rows are scrolled",
    ours: `${ms(median(frames))}, p95 ${ms(percentile(frames, 95))}, ${late.toFixed(1)} % late`,
    ...{ reach: "<= 16.7 ms", figures: { medianMs: median(frames), p95Ms: percentile(frames, 95), late } },
  });
  const filtered = await filterTimes(page);
  add({
    what: "dashboard: 10,000 machines filtered, from the key to the paint",
    ours: `${ms(median(filtered))}, most ${ms(Math.max(...filtered))}`,
    ...{ reach: "<= 100 ms", figures: { medianMs: median(filtered), mostMs: Math.max(...filtered) } },
  });
}

/** A browser that has seen nothing of us but the cookie of its session. */
async function firstLoad(lab: Lab, browser: Browser): Promise<Load> {
  const signedIn = await openContext(browser);
  const { page: first } = await openPage(signedIn);
  first.setDefaultTimeout(WAIT_MS);
  await signInByPage(first, lab.url, OWNER, "/account");
  const storageState = await signedIn.storageState();
  await signedIn.close();
  await using context = await browser.newContext({ storageState, viewport: { width: 1280, height: 800 } });
  const page = await context.newPage();
  page.setDefaultTimeout(WAIT_MS);
  await page.goto(`${lab.url}/machines`);
  await page.getByRole("checkbox", { name: "Select", exact: true }).first().waitFor();
  return await page.evaluate(figuresOfLoad);
}

async function openList(lab: Lab, browser: Browser): Promise<Page> {
  const context = await openContext(browser);
  const { page } = await openPage(context);
  page.setDefaultTimeout(WAIT_MS);
  await signInByPage(page, lab.url, OWNER, "/machines");
  await page.getByRole("checkbox", { name: "Select", exact: true }).first().waitFor();
  return page;
}

/** In the page: what the browser has noted since it was asked for. */
async function figuresOfLoad(): Promise<Load> {
  const listMs = performance.now();
  const noted = (type: string): Promise<PerformanceEntry[]> =>
    new Promise((resolve) => {
      const observer = new PerformanceObserver((list) => resolve(list.getEntries()));
      observer.observe({ type, buffered: true });
      setTimeout(() => resolve([]), 500);
    });
  const paints = await noted("largest-contentful-paint");
  const shifts = (await noted("layout-shift")) as (PerformanceEntry & { value: number })[];
  const scripts = performance
    .getEntriesByType("resource")
    .filter((entry) => /\/assets\/.*\.js$/.test(entry.name)) as PerformanceResourceTiming[];
  return {
    paintMs: Math.max(...paints.map(({ startTime }) => startTime)),
    listMs,
    shift: shifts.reduce((sum, { value }) => sum + value, 0),
    scriptBytes: scripts.reduce((sum, { encodedBodySize }) => sum + encodedBodySize, 0),
  };
}

/** In the page: milliseconds between frames while it is scrolled by `px` in each. */
async function scroll({ frames, px }: { frames: number; px: number }): Promise<number[]> {
  const scroller = document.querySelector("[data-scroller]");
  const frame = (): Promise<number> => new Promise(requestAnimationFrame);
  const spent: number[] = [];
  let last = await frame();
  for (let i = 0; i < frames; i++) {
    scroller?.scrollBy({ top: px, behavior: "instant" });
    const now = await frame();
    spent.push(now - last);
    last = now;
  }
  scroller?.scrollTo({ top: 0, behavior: "instant" });
  return spent;
}

/** From a change of the box to the frame after the page has followed. */
async function filterTimes(page: Page): Promise<number[]> {
  const box = page.getByRole("searchbox").first();
  const times: number[] = [];
  for (const text of FILTERS) {
    times.push(
      await box.evaluate(async (element, value) => {
        const set = Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value")?.set;
        const from = performance.now();
        set?.call(element, value);
        element.dispatchEvent(new Event("input", { bubbles: true }));
        await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
        return performance.now() - from;
      }, text),
    );
    // The address follows once typing has stopped: then nothing of the one before is left.
    await page.waitForFunction((value) => new URL(location.href).searchParams.get("q") === value, text);
  }
  return times;
}
