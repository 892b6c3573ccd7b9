/** The terminal on a page, with a real browser, management, provider and agent. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { sha256 } from "../../src/base/random.ts";
import { sentenceOf } from "../../src/policy/sentences.ts";
import { RELAY_FRAME, RELAY_RESET } from "../../src/wire/relay-numbers.ts";
import { TERMINAL_RELAY_PATH, TERMINAL_TICKETS_PATH } from "../../src/wire/terminal-page.ts";
import { violationsOf } from "../support/axe.ts";
import { openChromium, openContext, openPage, signInAtProvider, signInByPage } from "../support/chromium.ts";
import { isRoot } from "../support/os-accounts.ts";
import { openSetUp, type SetUp } from "../support/set-up.ts";
import { shows, signInForTerminal, signInToTerminal, type } from "../support/terminal-page.ts";
import { until } from "../support/until.ts";

const AXE = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

describe.skipIf(!isRoot)("a terminal on a page", () => {
  let setUp: SetUp;
  let browser: Browser;
  let context: BrowserContext;
  let page: Page;
  let complaints: string[];
  let address: string;
  /** All that went through management in the page's WebSockets. */
  const relayed: Buffer[] = [];
  beforeAll(async () => {
    [setUp, browser] = await Promise.all([
      openSetUp({
        ...{ accounts: [["term"]], machines: { web1: ["--enable-ssh-sftp"] }, groups: { leads: "Leads" } },
        ...{ people: { ada: ["devs"], bob: ["leads"] }, devices: { desk: "bob" } },
      }),
      openChromium(),
    ]);
    context = await openContext(browser);
    await context.addInitScript(noteKeys);
    await context.addInitScript(noteSockets);
    ({ page, complaints } = await openPage(context));
    page.on("websocket", (socket) => {
      for (const way of ["framesent", "framereceived"] as const) {
        socket.on(way as "framesent", ({ payload }) => void relayed.push(Buffer.from(payload)));
      }
    });
    address = `/terminal/web1?as=${setUp.account.name}`;
    await signInByPage(page, setUp.lab.url, setUp.person, address);
  }, 180_000);
  afterAll(async () => {
    await browser?.close();
    await setUp?.[Symbol.asyncDispose]();
  });

  /** The only policy from now on. */
  const ruleWith = async (ssh: Record<string, boolean>): Promise<void> => {
    const { lab, devs, servers, account } = setUp;
    const before = await lab.api<{ id: string }[]>("GET", "/api/policies");
    const approver_groups = [setUp.group("leads")];
    const rule = { authorized_groups: { [devs]: [account.name] }, ssh, approver_groups };
    await lab.createPolicy(Object.keys(ssh).join(" and "), [devs], [servers], rule);
    for (const { id } of before) await lab.api("DELETE", `/api/policies/${id}`);
  };
  const waitingRequest = () =>
    setUp.lab.until("a request that waits", async () => {
      const { stdout } = await setUp.device.qf(["access", "list", "--decide", "--json"]);
      return (JSON.parse(stdout) as { id: string; local_user: string; reason: string }[])[0];
    });
  const decide = async (what: "approve" | "deny", id: string, args: readonly string[]): Promise<void> => {
    const { exitCode, stderr } = await setUp.device.qf([
      "access",
      what,
      id,
      ...args,
      ...(what === "approve" ? ["--yes"] : []),
    ]);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr });
  };

  test("opens a shell after a sign-in of its own, in a window of its own", async () => {
    await signInToTerminal(page, setUp);
    await type(page, "echo $((6*7))-$USER\n");
    await shows(page, `42-${setUp.account.name}`);
    // Management reads none of it: neither what was typed nor what the machine said, nor as whom.
    const seen = Buffer.concat(relayed);
    expect(seen.includes("SSH-2.0-QuFabric_browser")).toBe(true);
    const words = ["echo", "42-", setUp.account.name, "$USER", "ssh-userauth", "ssh-connection"];
    expect(words.filter((word) => seen.includes(word))).toEqual([]);
  }, 120_000);

  test("who has the session, and all that the page sent, opens no stream to the machine", async () => {
    const [protocols = []] = await page.evaluate(
      () => (globalThis as unknown as { sockets: string[][] }).sockets,
    );
    const hello = protocols.find((name) => name.startsWith("hello."))?.slice("hello.".length) ?? "";
    const line = Buffer.from(hello, "base64url").toString();
    const cookie = (await context.cookies()).map(({ name, value }) => `${name}=${value}`).join("; ");
    const headers = { cookie, "x-qf-dashboard": "1", "sec-fetch-site": "same-origin" };
    const asked = await fetch(`${setUp.lab.url}${TERMINAL_TICKETS_PATH}`, {
      ...{ method: "POST", headers, body: sha256(line) },
    });
    const { ticket } = (await asked.json()) as { ticket: string };
    const fresh = protocols.map((name) => (name.startsWith("ticket.") ? `ticket.${ticket}` : name));
    const url = `${setUp.lab.url.replace("http", "ws")}${TERMINAL_RELAY_PATH}`;
    const origin = setUp.lab.url;
    // The ticket was used; the hello with its proof was too, whatever new ticket comes with it.
    expect(await framesOf(url, protocols, { cookie, origin })).toBe("refused");
    expect(await framesOf(url, fresh, { origin })).toBe("refused");
    expect(await framesOf(url, fresh, { cookie, origin: "http://127.0.0.1:9" })).toBe("refused");
    const reset = [RELAY_FRAME.reset, 0, 0, 0, 0, RELAY_RESET.refused];
    expect(await framesOf(url, fresh, { cookie, origin })).toEqual([reset]);
  }, 60_000);

  test("its keys cannot leave the page, and only the device's is kept", async () => {
    const keys = await page.evaluate(
      () => (globalThis as unknown as { madeKeys: [string, boolean, string[]][] }).madeKeys,
    );
    expect(keys.filter(([, isExtractable]) => isExtractable)).toEqual([]);
    expect(
      keys.filter(([name, , uses]) => name === "Ed25519" && uses.includes("sign")).length,
    ).toBeGreaterThan(1);
    const kept = await page.evaluate(async () => {
      const opening = indexedDB.open("qufabric-device");
      await new Promise((resolve) => opening.addEventListener("success", resolve));
      const asking = opening.result.transaction("keys").objectStore("keys").getAll();
      await new Promise((resolve) => asking.addEventListener("success", resolve));
      const [pair] = asking.result as CryptoKeyPair[];
      if (pair === undefined) return null;
      const exporting = ["pkcs8", "jwk", "raw"].map((form) =>
        crypto.subtle.exportKey(form as "raw", pair.privateKey).then(
          () => form,
          () => null,
        ),
      );
      const stores = [localStorage, sessionStorage].flatMap((store) => Object.keys(store));
      return { count: asking.result.length, read: await Promise.all(exporting), stores };
    });
    expect(kept).toEqual({ count: 1, read: [null, null, null], stores: [] });
  }, 60_000);

  test("knows its size and hears of another; speaks UTF-8 in both directions", async () => {
    const size = async (mark: string): Promise<string> => {
      await type(page, `echo ${mark}:$(stty size | tr ' ' x):\n`);
      await shows(page, new RegExp(`${mark}:\\d+x\\d+:`));
      return (await screenText(page)).match(new RegExp(`${mark}:(\\d+x\\d+):`))?.[1] ?? "";
    };
    const before = await size("one");
    await page.setViewportSize({ width: 900, height: 600 });
    await page.waitForFunction((old) => {
      const rows = document.querySelectorAll(".xterm-rows > div").length;
      return !old.startsWith(`${rows}x`);
    }, before);
    const after = await size("two");
    await page.setViewportSize({ width: 1280, height: 800 });
    expect(after).not.toBe(before);
    await type(page, "printf '%s|' grün 日本 ok | tee utf8; wc -c < utf8\n");
    await shows(page, "grün|日本|ok|16");
    expect(readFileSync(join(setUp.account.home, "utf8"), "utf8")).toBe("grün|日本|ok|");
  }, 60_000);

  test.skipIf(Bun.which("vi") === null)(
    "an editor draws, takes keys and writes its file",
    async () => {
      await openEditor(page, "letter");
      await page.keyboard.type("ihello from a page");
      await page.keyboard.press("Escape");
      await leaveEditor(page, "letter");
      await type(page, "echo back-$((1+1))\n");
      await shows(page, "back-2");
      expect(readFileSync(join(setUp.account.home, "letter"), "utf8")).toBe("hello from a page\n");
    },
    60_000,
  );

  test.skipIf(Bun.which("vi") === null)(
    "a phone has the keys that its own keyboard lacks",
    async () => {
      await page.setViewportSize({ width: 390, height: 844 });
      const key = (name: string) =>
        page.getByRole("toolbar", { name: "Keys" }).getByRole("button", { name }).click();
      await type(page, "cat\n");
      await key("Ctrl");
      await key("Control C");
      await type(page, "n=$((n+1)); echo n-$n-\n");
      await shows(page, "n-1-");
      await key("Up");
      await page.keyboard.press("Enter");
      await shows(page, "n-2-");
      // Down for one typed letter: what stood on the line is gone.
      await type(page, "false ");
      await key("Ctrl");
      await page.keyboard.type("u");
      await type(page, "echo /etc/hostn");
      await key("Tab");
      await page.keyboard.type("-$((1+1))");
      await page.keyboard.press("Enter");
      await shows(page, "/etc/hostname -2");
      await openEditor(page, "letter");
      await page.keyboard.type("0i");
      await key("Right");
      await page.keyboard.type("E");
      await key("Esc");
      await leaveEditor(page, "letter");
      await type(page, "echo phone-$((1+1))\n");
      await shows(page, "phone-2");
      expect(readFileSync(join(setUp.account.home, "letter"), "utf8")).toBe("hEello from a page\n");
      await page.setViewportSize({ width: 1280, height: 800 });
    },
    60_000,
  );

  test("colours are what programs ask for, and emoji are as wide as they take them to be", async () => {
    await type(
      page,
      "clear; printf '\\033[38;5;18mpalette\\033[0m \\033[38;2;10;60;200mdirect\\033[0m\\n'\n",
    );
    await shows(page, /^palette direct/);
    const colour = (text: string) =>
      page
        .locator(".xterm-rows span")
        .filter({ hasText: new RegExp(`^${text}$`) })
        .evaluate((span) => getComputedStyle(span).color);
    expect([await colour("palette"), await colour("direct")]).toEqual(["rgb(0, 0, 135)", "rgb(10, 60, 200)"]);
    await type(page, "printf '\\r😀'; IFS='[;' read -rs -d R -p $'\\e[6n' _ _ col; echo col-$col\n");
    await shows(page, "col-3");
  }, 60_000);

  test("its own keys search, set the size of the text, and leave it; what it shows is saved", async () => {
    await page.keyboard.press("Control+Shift+F");
    const search = page.getByRole("textbox", { name: "Search in the terminal" });
    await search.fill("never shown");
    await search.press("Enter");
    await page.getByText("not found").waitFor();
    await search.fill("col-3");
    await search.press("Enter");
    await page.getByText("not found").waitFor({ state: "detached" });
    await page.getByRole("button", { name: "Search in the terminal" }).click();
    await page.locator(".xterm-helper-textarea").first().focus();
    const size = () => page.locator(".xterm-rows").evaluate((rows) => getComputedStyle(rows).fontSize);
    await page.keyboard.press("Control+=");
    await until("the text is larger", async () => (await size()) === "15px");
    await page.keyboard.press("Control+0");
    await until("the text is as before", async () => (await size()) === "14px");
    await page.keyboard.press("Control+F6");
    const shells = page.getByRole("list", { name: "Shells" });
    await shells.getByRole("button").and(page.locator(":focus")).waitFor();
    await page.getByRole("button", { name: "More of the terminal" }).click();
    const [saved] = await Promise.all([
      page.waitForEvent("download"),
      page.getByRole("menuitem", { name: "Save as text" }).click(),
    ]);
    expect(saved.suggestedFilename()).toBe(`${setUp.account.name}@web1.txt`);
    expect(readFileSync(await saved.path(), "utf8")).toMatch(/palette direct\n[\s\S]*col-3/);
  }, 60_000);

  test("keys that the browser holds are sent from a menu; colours and copying are settings", async () => {
    await context.grantPermissions(["clipboard-read", "clipboard-write"]);
    await page.evaluate(() => navigator.clipboard.writeText("before"));
    await type(page, "cat -v; echo cat-is-over\n");
    const more = page.getByRole("button", { name: "More of the terminal" });
    await more.click();
    await page.getByRole("menuitem", { name: "Send Ctrl T" }).click();
    // The next keys go to the machine as well.
    await page.locator(".xterm-helper-textarea").first().and(page.locator(":focus")).waitFor();
    await page.keyboard.type("typed-on\n");
    await shows(page, "^Ttyped-on");
    await more.click();
    await page.getByRole("menuitem", { name: "Settings…" }).click();
    const dialog = page.getByRole("dialog", { name: "Terminal settings" });
    await dialog
      .getByRole("button", { name: /^Colours/ })
      .or(dialog.getByRole("combobox"))
      .first()
      .click();
    await page.getByRole("option", { name: "Solarized dark" }).click();
    await dialog.getByRole("switch", { name: "Copy what is selected" }).click();
    await dialog.getByRole("switch", { name: "Ctrl C copies a selection" }).click();
    expect(await violationsOf(page)).toEqual([]);
    await dialog.getByRole("button", { name: "Close" }).last().click();
    const ground = () =>
      page
        .locator("[data-terminal]")
        .first()
        .evaluate((one) => {
          return getComputedStyle(one.parentElement ?? one).backgroundColor;
        });
    expect(await ground()).toBe("rgb(0, 43, 54)");
    const copied = () => page.evaluate(() => navigator.clipboard.readText());
    const line = page.locator(".xterm-rows > div").filter({ hasText: "Ttyped-on" }).first();
    const box = await line.boundingBox();
    await page.mouse.dblclick((box?.x ?? 0) + 20, (box?.y ?? 0) + 8);
    await until("what was selected is copied", async () => (await copied()).includes("typed"));
    await page.evaluate(() => navigator.clipboard.writeText("before"));
    // The first copies and clears the selection; the second is the machine's, and ends the program.
    await page.keyboard.press("Control+c");
    await until("Ctrl C copies", async () => (await copied()).includes("typed"));
    await page.keyboard.press("Control+c");
    await shows(page, "cat-is-over");
    await page.evaluate(() => {
      for (const key of Object.keys(localStorage))
        if (key.startsWith("qf-terminal")) localStorage.removeItem(key);
    });
  }, 60_000);

  test("a lost connection is said in the shell, and Enter goes on below it with the same login", async () => {
    await type(page, "echo before-$((1+1))\n");
    await shows(page, "before-2");
    await page.evaluate(() =>
      (globalThis as unknown as { openSockets: WebSocket[] }).openSockets.at(-1)?.close(),
    );
    await shows(page, "Press Enter for a new shell");
    await page.getByRole("alert").getByText("was lost").waitFor();
    await page.keyboard.press("Enter");
    await page.getByRole("alert").waitFor({ state: "detached" });
    await type(page, "echo again-$((2+2))\n");
    await shows(page, /before-2[\s\S]*Press Enter[\s\S]*again-4/);
  }, 60_000);

  test("20 MB of output come, in memory that stays", async () => {
    const heap = () =>
      page.evaluate(
        () => (performance as unknown as { memory: { usedJSHeapSize: number } }).memory.usedJSHeapSize,
      );
    const devtools = await context.newCDPSession(page);
    const collect = () => devtools.send("HeapProfiler.collectGarbage");
    await collect();
    const before = await heap();
    await type(page, "head -c 20000000 /dev/zero | tr '\\0' x | fold -w 100; echo flood-$((1+1))\n");
    await shows(page, "flood-2", 120_000);
    await collect();
    expect((await heap()) - before).toBeLessThan(64 * 1024 * 1024);
  }, 150_000);

  test("files go there and come back, and replace others only when told", async () => {
    const bytes = Buffer.alloc(700_017);
    for (let at = 0; at < bytes.length; at++) bytes[at] = (at * 7919) >> 3;
    await page.getByRole("button", { name: "Files" }).click();
    const files = page.getByRole("list", { name: "Files of this folder" });
    await files.getByText("letter").or(files.getByText("utf8")).first().waitFor();
    const input = page.locator('input[type="file"]');
    const file = (buffer: Buffer) => ({ name: "data.bin", mimeType: "text/html", buffer });
    await input.setInputFiles(file(bytes));
    await page.getByText("done").waitFor();
    await files.getByText("data.bin").waitFor();
    const there = join(setUp.account.home, "data.bin");
    expect(Bun.hash(readFileSync(there))).toBe(Bun.hash(bytes));
    const [got] = await Promise.all([
      page.waitForEvent("download"),
      page.getByRole("button", { name: "Download data.bin" }).click(),
    ]);
    expect([got.suggestedFilename(), Bun.hash(readFileSync(await got.path()))]).toEqual([
      ...["data.bin", Bun.hash(bytes)],
    ]);
    await input.setInputFiles(file(Buffer.from("new")));
    await page.getByRole("alertdialog").getByText("data.bin").waitFor();
    expect(readFileSync(there).length).toBe(bytes.length);
    await page.getByRole("button", { name: "Replace" }).click();
    await until("it is replaced", () => readFileSync(there, "utf8") === "new");
    await changeFiles(page, there);
    await page.getByRole("button", { name: "Files", exact: true }).click();
  }, 120_000);

  test("a second shell stands beside the first; lines to paste and links are asked about", async () => {
    await page.getByRole("button", { name: "New shell" }).click();
    await page.waitForFunction(() => document.querySelectorAll("[data-terminal]").length === 2);
    await type(page, "echo second-$((2+3)); PS1='> '; bind 'set enable-bracketed-paste off'\n", 1);
    await shows(page, "second-5");
    await paste(page, "echo a\u001b]52;c;x\u0007\necho pasted-$((4+4))\n", 1);
    const question = page.getByRole("alertdialog");
    await question.getByText("echo pasted").waitFor();
    await question.getByRole("button", { name: "Paste" }).click();
    await shows(page, "pasted-8");
    await clickLink(page, "https://example.com/a?b=c");
    await question.getByText("https://example.com/a?b=c").waitFor();
    await question.getByRole("button", { name: "Cancel" }).click();
    expect(context.pages().length).toBe(1);
  }, 60_000);

  test("a program writes the clipboard only after a yes for that shell; its bell marks the shell", async () => {
    await context.grantPermissions(["clipboard-read", "clipboard-write"]);
    const copied = () => page.evaluate(() => navigator.clipboard.readText());
    await page.evaluate(() => navigator.clipboard.writeText("mine"));
    const copy = (text: string, shell: number) =>
      type(page, `printf '\\033]52;c;%s\\a' $(printf %s ${text} | base64)\n`, shell);
    const question = page.getByRole("alertdialog");
    await copy("one", 1);
    await question.getByText("one", { exact: true }).waitFor();
    expect(await copied()).toBe("mine");
    await question.getByRole("button", { name: "Allow" }).click();
    await until("it is copied", async () => (await copied()) === "one");
    await copy("two", 1);
    await until("the next is copied unasked", async () => (await copied()) === "two");
    await type(page, "until [ -e ring ]; do sleep 0.1; done; printf '\\a'\n", 1);
    const tabs = page.getByRole("list", { name: "Shells" }).getByRole("listitem");
    await tabs.first().getByRole("button").first().click();
    await type(page, "touch ring\n", 0);
    await tabs.nth(1).getByText("its bell rang").waitFor();
    await copy("three", 0);
    await question.getByText("three", { exact: true }).waitFor();
    await question.getByRole("button", { name: "Cancel" }).click();
    await copy("four", 0);
    await type(page, "echo after-$((3+4))\n");
    await shows(page, "after-7");
    expect([await copied(), await question.count()]).toEqual(["two", 0]);
    await page.getByRole("button", { name: "Close shell 2" }).click();
  }, 60_000);

  test("leaving an open terminal is asked about: who stays has the same shell, who leaves has none", async () => {
    const elsewhere = () => page.getByRole("link", { name: "My access", exact: true }).first().click();
    const question = page.getByRole("alertdialog", { name: /^Leave / });
    await type(page, "left=$((40+2))\n");
    await elsewhere();
    await question.getByRole("button", { name: "Cancel" }).click();
    await question.waitFor({ state: "detached" });
    expect(page.url()).toEndWith(address);
    await type(page, "echo stayed-$left-\n");
    await shows(page, "stayed-42-");
    await elsewhere();
    await question.getByRole("button", { name: "Leave" }).click();
    await page.waitForURL(({ pathname }) => pathname === "/");
    await page.goto(setUp.lab.url + address);
    await signInToTerminal(page, setUp);
  }, 60_000);

  test("nothing on it keeps anybody out", async () => {
    await page.evaluate(AXE);
    for (const width of [1280, 390]) {
      await page.setViewportSize({ width, height: 800 });
      const found = await page.evaluate(async () => {
        const { axe } = globalThis as unknown as {
          axe: { run(options: object): Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> };
        };
        const { violations } = await axe.run({ rules: { "target-size": { enabled: true } } });
        return violations.map(({ id, nodes }) => [id, ...nodes.map(({ html }) => html)]);
      });
      expect([width, found]).toEqual([width, []]);
    }
    await page.setViewportSize({ width: 1280, height: 800 });
  }, 60_000);

  test("access that is taken away while somebody types is said in the terminal", async () => {
    await page.getByRole("button", { name: "New shell" }).click();
    await page.waitForFunction(() => document.querySelectorAll("[data-terminal]").length === 2);
    await page.keyboard.type("# still typing", { delay: 20 });
    await setUp.lab.api("DELETE", `/api/policies/${setUp.policy.id}`);
    const alert = page.getByRole("alert");
    await alert.waitFor();
    const said = ((await alert.locator("p").first().textContent()) ?? "").trim();
    await shows(page, said);
    expect(said).toMatch(/\w/);
    // All shells stay to be read.
    const shells = page.locator("[data-terminal]");
    expect([await shells.count(), await shells.nth(1).isVisible()]).toEqual([2, true]);
    await page.getByRole("button", { name: "Connect again" }).click();
    await page.getByRole("link", { name: "Sign in" }).waitFor();
    await ruleWith({ require_approval: true, require_reason: true });
  }, 60_000);

  test("a rule that wants a reason and an approval asks, waits, says a refusal, and opens once approved", async () => {
    await signInForTerminal(page, (popup) => signInAtProvider(popup, setUp.person));
    await page.getByRole("textbox", { name: "Reason" }).fill("OPS-7: disk is full");
    await page.getByRole("button", { name: "Go on" }).click();
    await page.getByText("by a member of Leads").waitFor();
    await page.getByText("OPS-7: disk is full").waitFor();
    const first = await waitingRequest();
    expect(first).toMatchObject({ local_user: setUp.account.name, reason: "OPS-7: disk is full" });
    await decide("deny", first.id, ["--reason", "use web2"]);
    await page.getByRole("alert").getByText("denied it: use web2").waitFor();
    // The sign-in still counts, and so does the reason.
    await page.getByRole("button", { name: "Connect again" }).click();
    const second = await waitingRequest();
    await page.getByRole("button", { name: "Withdraw the request" }).click();
    await page.getByRole("alert").getByText("The request was withdrawn.").waitFor();
    const { state } = await setUp.lab.api<{ state: string }>("GET", `/api/access/requests/${second.id}`);
    expect(state).toBe("cancelled");
    await page.getByRole("button", { name: "Connect again" }).click();
    await decide("approve", (await waitingRequest()).id, ["--for", "10m"]);
    await shows(page, "$");
    await type(page, "echo approved-$((1+2))\n");
    await shows(page, "approved-3");
    // A rule that takes no browsers ends it, by its own sentence.
    await ruleWith({ allow_browsers: false });
    await shows(page, sentenceOf("browser_not_allowed").sentence);
  }, 120_000);

  test.each([
    ["such keys", refuseKeys],
    ["anything that it keeps for pages", refuseStorage],
  ])(
    "a browser without %s is told which have them, before any sign-in",
    async (_what, refuse) => {
      const other = await context.newPage();
      await other.addInitScript(refuse);
      await other.goto(setUp.lab.url + address);
      await other.getByText("This browser cannot open a terminal").waitFor();
      await other.getByText(/Chrome and Edge from \d+, Firefox from \d+ and Safari from \d+/).waitFor();
      await other.close();
    },
    60_000,
  );

  test("the end of the dashboard's session ends it, and says so; a clock that is off does no harm", async () => {
    await ruleWith({ require_approval: true });
    await page.clock.setSystemTime(Date.now() + 10 * 60_000);
    await page.goto(setUp.lab.url + address);
    await signInForTerminal(page, (popup) => signInAtProvider(popup, setUp.person));
    // Without a reason nothing is asked for until the person does it.
    await page.getByRole("textbox", { name: "Reason" }).fill("on call");
    await page.getByRole("button", { name: "Ask for approval" }).click();
    await page.getByText("Waiting for approval").waitFor();
    await decide("approve", (await waitingRequest()).id, []);
    await shows(page, "$");
    await page.evaluate(() =>
      fetch("/api/web-sessions/current", { method: "DELETE", headers: { "x-qf-dashboard": "1" } }),
    );
    // The page says so as well, over it.
    await shows(page, "session of the dashboard");
    expect(complaints.splice(0).filter((line) => !/401/.test(line))).toEqual([]);
  }, 120_000);
});

/** Makes a folder, renames a file, is refused another name, and deletes both. */
async function changeFiles(page: Page, there: string): Promise<void> {
  const files = page.getByRole("list", { name: "Files of this folder" });
  const dialog = page.getByRole("dialog");
  const more = async (file: string, action: string): Promise<void> => {
    await page.getByRole("button", { name: `More for ${file}` }).click();
    await page.getByRole("menuitem", { name: action }).click();
  };
  const field = dialog.getByRole("textbox", { name: "Name" });
  const name = async (text: string, verb: string): Promise<void> => {
    await field.fill(text);
    await dialog.getByRole("button", { name: verb }).click();
  };
  await page.getByRole("button", { name: "New folder" }).click();
  await dialog.locator(":focus").and(field).waitFor();
  await name("a folder", "Make");
  await files.getByRole("button", { name: "a folder", exact: true }).waitFor();
  await more("data.bin", "Rename");
  await dialog.locator(":focus").and(field).waitFor();
  await name("utf8", "Rename");
  await dialog.getByRole("alert").waitFor();
  await name("new.bin", "Rename");
  await files.getByText("new.bin").waitFor();
  await until("it is renamed", () => !existsSync(there));
  for (const file of ["new.bin", "a folder"]) {
    await more(file, "Delete");
    await page.getByRole("alertdialog").getByRole("button", { name: "Delete" }).click();
    await until(`${file} is gone`, () => !existsSync(join(there, "..", file)));
    await page.getByRole("alertdialog").waitFor({ state: "detached" });
  }
}

/** What a WebSocket is sent until it is closed; "refused" for one that is not made. */
async function framesOf(
  url: string,
  protocols: readonly string[],
  headers: Record<string, string>,
): Promise<number[][] | "refused"> {
  const frames: number[][] = [];
  let isOpen = false;
  const socket = new WebSocket(url, { headers, protocols: [...protocols] } as never);
  socket.binaryType = "arraybuffer";
  const closed = new Promise((resolve) => socket.addEventListener("close", resolve));
  socket.addEventListener("open", () => {
    isOpen = true;
  });
  socket.addEventListener(
    "message",
    ({ data }) => void frames.push([...new Uint8Array(data as ArrayBuffer)]),
  );
  await closed;
  return isOpen ? frames : "refused";
}

/** In the page: no Ed25519. */
function refuseKeys(): void {
  const make = crypto.subtle.generateKey.bind(crypto.subtle) as (...args: unknown[]) => Promise<unknown>;
  crypto.subtle.generateKey = ((algorithm: unknown, ...rest: unknown[]) =>
    algorithm === "Ed25519" ? Promise.reject(new Error("no")) : make(algorithm, ...rest)) as never;
}

/** In the page: storage is blocked, as by a setting of the browser. */
function refuseStorage(): void {
  const refuse = (): never => {
    throw new DOMException("denied", "SecurityError");
  };
  for (const name of ["localStorage", "sessionStorage", "indexedDB"]) {
    Object.defineProperty(window, name, { get: refuse, configurable: true });
  }
}

/** In the page: with which subprotocols it opens WebSockets. */
function noteSockets(): void {
  const sockets: string[][] = [];
  const openSockets: WebSocket[] = [];
  const Plain = WebSocket;
  class Noted extends Plain {
    constructor(url: string, protocols: string[]) {
      super(url, protocols);
      sockets.push(protocols);
      openSockets.push(this);
    }
  }
  Object.assign(globalThis, { sockets, openSockets, WebSocket: Noted });
}

/** In the page: what keys are made, and whether they could leave it. */
function noteKeys(): void {
  const made: unknown[] = [];
  Object.assign(globalThis, { madeKeys: made });
  const make = crypto.subtle.generateKey.bind(crypto.subtle) as (...args: unknown[]) => Promise<unknown>;
  crypto.subtle.generateKey = ((
    algorithm: string | { name: string },
    isExtractable: boolean,
    uses: unknown,
  ) => {
    made.push([typeof algorithm === "string" ? algorithm : algorithm.name, isExtractable, uses]);
    return make(algorithm, isExtractable, uses);
  }) as never;
}

async function paste(page: Page, text: string, shell: number): Promise<void> {
  await page
    .locator(".xterm-helper-textarea")
    .nth(shell)
    .evaluate((element, pasted) => {
      const clipboardData = new DataTransfer();
      clipboardData.setData("text/plain", pasted);
      element.dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true }));
    }, text);
}

/** An editor that reads its keys: what is typed before that is thrown away. */
async function openEditor(page: Page, file: string): Promise<void> {
  await type(page, `vi -N -u NONE ${file}\n`);
  await shows(page, new RegExp(`"${file}"`));
  await until("the editor answers", async () => {
    await page.keyboard.type(":set ruler?");
    await page.keyboard.press("Enter");
    return /noruler/.test(await screenText(page));
  });
}

/** Saves and ends it. What is typed before the shell's prompt may be read by the editor, and lost. */
async function leaveEditor(page: Page, file: string): Promise<void> {
  await page.keyboard.type(":wq");
  await page.keyboard.press("Enter");
  await shows(page, new RegExp(`NONE ${file}[^$]*\\$\\s*$`));
}

/** Prints an address in the second shell, and clicks on it. */
async function clickLink(page: Page, address: string): Promise<void> {
  await type(page, `clear; echo '${address}'\n`, 1);
  const line = page
    .locator(".xterm-rows")
    .nth(1)
    .locator("div")
    .filter({ hasText: new RegExp(`^${RegExp.escape(address)}`) });
  await line.waitFor();
  const box = await line.boundingBox();
  if (box === null) throw new Error("the link is not on the screen");
  await page.mouse.move(box.x + 40, box.y + box.height / 2);
  await page.mouse.move(box.x + 60, box.y + box.height / 2);
  await page.mouse.click(box.x + 60, box.y + box.height / 2);
}

function screenText(page: Page): Promise<string> {
  return page.evaluate(() =>
    [...document.querySelectorAll(".xterm-rows")].map(({ textContent }) => textContent ?? "").join("\n"),
  );
}
