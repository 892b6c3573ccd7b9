/**
 * The terminal in a page of Chromium: files of 100 MB each way with their digests, 20 MB of output beside
 * what xterm.js alone draws of the same bytes, commands, and the time from a key to the screen. Over the
 * relay, as every terminal in a page.
 *
 * What drives the browser must not be part of the figures. Chromium copies each frame of a WebSocket to
 * whoever watches the network by the DevTools protocol, as Playwright always does: for 20 MB of output that
 * takes as long as drawing it. So that is switched off, and the page itself notes when it shows what is
 * awaited, in place of questions in every frame.
 */
import { createHash } from "node:crypto";
import { createReadStream, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { openChromium, openContext, openPage, signInAtProvider, signInByPage } from "../support/chromium.ts";
import { openSetUp, type SetUp } from "../support/set-up.ts";
import { signInToTerminal, type } from "../support/terminal-page.ts";
import { type Bench, median, type Part } from "./figures.ts";
import type { script } from "./terminal-script.ts";

const FILE_BYTES = 100_000_000;
const OUTPUT_BYTES = 20_000_000;
const LINES_FILE = "bench-lines.txt";
const FLOODS = 6;
/** Sizes of what xterm.js alone is given at a time, in turn: as SSH brings it, and as the page gives it. */
const PACKET_BYTES = 32 * 1024;
const STEP_BYTES = 1024 * 1024;
const KEYS = 100;
const WAIT_MS = 300_000;

export const terminalPart: Part = {
  name: "terminal",
  async run(bench) {
    await using setUp = await openSetUp({
      ...{ accounts: [["bench"]], devices: {}, machines: { web1: ["--enable-ssh-sftp"] } },
    });
    const browser = await openChromium();
    try {
      const context = await openContext(browser);
      const { page } = await openPage(context);
      page.setDefaultTimeout(WAIT_MS);
      await signInByPage(page, setUp.lab.url, setUp.person, `/terminal/web1?as=${setUp.account.name}`);
      await signInToTerminal(page, setUp);
      await watchNoNetwork(page);
      await addScript(page, setUp);
      await measure(bench, { page, browser, home: setUp.account.home });
    } finally {
      await browser.close();
    }
  },
};

interface OpenTerminal {
  readonly page: Page;
  readonly browser: Browser;
  readonly home: string;
}

async function measure({ add }: Bench, opened: OpenTerminal): Promise<void> {
  const { page, home } = opened;
  const { bufferMs, keyMs } = await keyToScreen(page);
  add({
    ...{ what: "terminal in a page: from a key to the frame that shows it", reach: "<= 15 ms" },
    ours: `${keyMs.toFixed(1)} ms (to the terminal's buffer ${bufferMs.toFixed(1)} ms)`,
    figures: { keyMs, bufferMs },
  });
  const { ours, alone, processor, heapMb } = await floods(opened);
  add({
    ...{ what: "terminal in a page: 20 MB of output, drawn", reach: ">= 0.9 x" },
    ours: `${ours.toFixed(1)} MB/s (processor of the browser ${processor.toFixed(2)} s)`,
    ...{ against: `xterm.js alone ${alone.toFixed(1)} MB/s`, ratio: `${(ours / alone).toFixed(2)} x` },
    figures: { ours, alone, processor },
  });
  add({
    ...{ what: `terminal in a page: memory of script after ${FLOODS} times 20 MB`, reach: "no growth" },
    ours: `${heapMb >= 0 ? "+ " : ""}${heapMb.toFixed(1)} MB`,
    figures: { heapMb },
  });
  const rateRow = (what: string, mbPerSecond: number): void =>
    add({
      ...{ what: `terminal in a page: ${what}`, ours: `${mbPerSecond.toFixed(1)} MB/s` },
      ...{ reach: ">= 20 MB/s", figures: { mbPerSecond } },
    });
  const printed = await commandMs(page, `head -c ${FILE_BYTES} /dev/zero`, { output: FILE_BYTES });
  rateRow("a command without a terminal prints 100 MB", FILE_BYTES / 1_000 / printed);
  const taken = await commandMs(page, "cat > /dev/null", { input: FILE_BYTES });
  rateRow("a command is given 100 MB", FILE_BYTES / 1_000 / taken);
  const { up, down } = await files(page, home);
  rateRow("a file of 100 MB to the machine", up);
  rateRow("a file of 100 MB from the machine", down);
}

/** `terminal-script.ts`, with a connection of its own to the machine. */
async function addScript(page: Page, setUp: SetUp): Promise<void> {
  const built = await Bun.build({
    entrypoints: [join(import.meta.dir, "terminal-script.ts")],
    ...{ target: "browser", format: "iife", minify: true },
  });
  await page.evaluate((await built.outputs[0]?.text()) ?? "");
  const wanted = { target: "web1", localUser: setUp.account.name };
  const url = await page.evaluate(
    ({ target, localUser }) => (globalThis as unknown as InPage).bench.begin(target, localUser),
    wanted,
  );
  const popup = await page.context().newPage();
  await popup.goto(url);
  await popup.getByRole("button", { name: "Continue" }).click();
  await signInAtProvider(popup, setUp.person);
  const code = (await popup.locator("#code").textContent()) ?? "";
  await popup.close();
  await page.evaluate(([typed, to]) => (globalThis as unknown as InPage).bench.connect(typed, to), [
    code,
    wanted,
  ] as const);
}

interface InPage {
  readonly bench: typeof script;
}

function commandMs(
  page: Page,
  command: string,
  bytes: { readonly input?: number; readonly output?: number; readonly terminal?: boolean },
): Promise<number> {
  return page.evaluate(([run, sizes]) => (globalThis as unknown as InPage).bench.command(run, sizes), [
    command,
    bytes,
  ] as const);
}

/** In turn, on the same page: what the machine prints, and the same bytes given to xterm.js at once. */
async function floods({
  page,
  browser,
  home,
}: OpenTerminal): Promise<{ ours: number; alone: number; processor: number; heapMb: number }> {
  writeFileSync(join(home, LINES_FILE), `${"x".repeat(100)}\n`.repeat(OUTPUT_BYTES / 100));
  await type(page, `flood() { cat ${LINES_FILE}; echo end-$1-; }\n`);
  const [ours, alone, processors]: [number[], number[], number[]] = [[], [], []];
  let heap = 0;
  for (let run = 0; run <= FLOODS; run++) {
    // Typed before the clock starts.
    await type(page, `flood ${run}`);
    const before = await processorSeconds(browser);
    const output = await rate(OUTPUT_BYTES, async () => {
      const shown = showing(page, `end-${run}-`);
      await page.keyboard.press("Enter");
      await shown;
    });
    const processor = (await processorSeconds(browser)) - before;
    const pieces = run % 2 === 0 ? PACKET_BYTES : STEP_BYTES;
    const draw = ([bytes, size]: readonly [number, number]) =>
      (globalThis as unknown as InPage).bench.draw(bytes, size);
    const drawn = await page.evaluate(draw, [OUTPUT_BYTES, pieces] as const);
    // The first fills what is kept of the lines, and is compiled while it runs.
    if (run === 0) {
      heap = await heapMbOf(page);
      continue;
    }
    ours.push(output);
    alone.push(OUTPUT_BYTES / 1_000 / drawn);
    processors.push(processor);
  }
  const heapMb = (await heapMbOf(page)) - heap;
  return { ours: median(ours), alone: median(alone), processor: median(processors), heapMb };
}

async function heapMbOf(page: Page): Promise<number> {
  const devtools = await page.context().newCDPSession(page);
  await devtools.send("HeapProfiler.collectGarbage");
  const { usedSize } = await devtools.send("Runtime.getHeapUsage");
  await devtools.detach();
  return usedSize / 1e6;
}

/** Both ways, and the same bytes at both ends. */
async function files(page: Page, home: string): Promise<{ up: number; down: number }> {
  const local = join(home, "..", `bench-${process.pid}.bin`);
  const bytes = Buffer.allocUnsafe(FILE_BYTES);
  for (let at = 0; at < bytes.length; at += 65_536) crypto.getRandomValues(bytes.subarray(at, at + 65_536));
  writeFileSync(local, bytes);
  const expected = createHash("sha256").update(bytes).digest("hex");
  await page.getByRole("button", { name: "Files" }).click();
  await page.getByRole("list", { name: "Files of this folder" }).waitFor();
  const up = await rate(FILE_BYTES, async () => {
    await page.locator('input[type="file"]').setInputFiles(local);
    await page.getByText("done").first().waitFor();
  });
  const name = local.split("/").at(-1) ?? "";
  let path = "";
  const down = await rate(FILE_BYTES, async () => {
    const [got] = await Promise.all([
      page.waitForEvent("download"),
      page.getByRole("button", { name: `Download ${name}` }).click(),
    ]);
    path = await got.path();
  });
  for (const one of [join(home, name), path]) {
    if ((await digestOf(one)) !== expected) throw new Error(`${one} has other bytes`);
  }
  await Bun.file(local).delete();
  return { up, down };
}

async function digestOf(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const part of createReadStream(path)) hash.update(part);
  return hash.digest("hex");
}

/** What all processes of the browser have used of the processor. */
async function processorSeconds(browser: Browser): Promise<number> {
  const devtools = await browser.newBrowserCDPSession();
  const { processInfo } = await devtools.send("SystemInfo.getProcessInfo");
  await devtools.detach();
  return processInfo.reduce((sum, { cpuTime }) => sum + cpuTime, 0);
}

/** MB/s of `work`. */
async function rate(bytes: number, work: () => Promise<void>): Promise<number> {
  const startMs = performance.now();
  await work();
  return bytes / 1_000 / (performance.now() - startMs);
}

/** Playwright's own session with the page: what it switches on has no switch in its interface. */
interface WatchingPage {
  readonly _connection: {
    toImpl(page: unknown): {
      readonly delegate: {
        readonly _mainFrameSession: { readonly _client: { send(method: string): Promise<unknown> } };
      };
    };
  };
}

async function watchNoNetwork(page: Page): Promise<void> {
  const { delegate } = (page as unknown as WatchingPage)._connection.toImpl(page);
  await delegate._mainFrameSession._client.send("Network.disable");
}

/** Resolves when the shell shows `text`, which its page finds out when its rows change. */
function showing(page: Page, text: string): Promise<void> {
  return page.evaluate(
    (wanted) =>
      new Promise<void>((resolve, reject) => {
        const rows = document.querySelector(".xterm-rows");
        if (rows === null) throw new Error("there is no terminal");
        const observer = new MutationObserver(() => {
          if (!rows.textContent?.includes(wanted)) return;
          observer.disconnect();
          resolve();
        });
        observer.observe(rows, { subtree: true, childList: true });
        setTimeout(() => reject(new Error(`${wanted} was not shown`)), 300_000);
      }),
    text,
  );
}

interface KeyTimes {
  /** Until the echo is in the terminal's buffer: its cursor has moved. */
  readonly bufferMs: number;
  /** Until the page has finished the frame that shows it. */
  readonly keyMs: number;
}

/** Medians in milliseconds, counted in the page from the event of the key. */
async function keyToScreen(page: Page): Promise<KeyTimes> {
  await page.locator(".xterm-helper-textarea").first().focus();
  await page.evaluate(noteKeys);
  for (let count = 0; count < KEYS; count++) {
    await page.keyboard.press("x");
    // Not in step with the frames of the screen, which come every 16.7 ms: a key comes at any time.
    await Bun.sleep(60 + Math.random() * 50);
  }
  await page.keyboard.press("Control+u");
  const times = await page.evaluate(() => (globalThis as unknown as { keyTimes: KeyTimes[] }).keyTimes);
  const of = (name: keyof KeyTimes): number => median(times.map((one) => one[name]));
  return { bufferMs: of("bufferMs"), keyMs: of("keyMs") };
}

/** In the page. */
function noteKeys(): void {
  const times: { bufferMs: number; keyMs: number }[] = [];
  Object.assign(globalThis, { keyTimes: times });
  let pressedMs = 0;
  let bufferMs = 0;
  addEventListener(
    "keydown",
    () => {
      pressedMs = performance.now();
      bufferMs = 0;
    },
    true,
  );
  const rows = document.querySelector(".xterm-rows");
  const cursor = document.querySelector(".xterm-helper-textarea");
  if (rows === null || cursor === null) throw new Error("there is no terminal");
  // A message to oneself comes after the frame in which the rows changed.
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = () => {
    if (pressedMs > 0 && bufferMs > 0) times.push({ bufferMs, keyMs: performance.now() - pressedMs });
    pressedMs = 0;
  };
  new MutationObserver(() => {
    if (bufferMs === 0) bufferMs = performance.now() - pressedMs;
  }).observe(cursor, { attributeFilter: ["style"] });
  new MutationObserver(() => port2.postMessage(null)).observe(rows, { subtree: true, childList: true });
}
