/**
 * A person who signs in by hand: opens the URL, fills in each form, presses its first button.
 *
 * Also a program, for `$BROWSER`: `bun test/support/sign-in.ts URL` with QF_TEST_EMAIL and
 * QF_TEST_PASSWORD signs that person in.
 */
import { appendFileSync } from "node:fs";
import { type Browser, type BrowserPage, createBrowser, formsOf, textOfId } from "./browser.ts";

export interface Credentials {
  readonly email: string;
  readonly password: string;
}

export interface Visit {
  readonly pages: readonly BrowserPage[];
  readonly status: number;
  /** Content of the element with id="code", where the last page has one. */
  readonly code: string | undefined;
}

const PAGES_MAX = 12;

/** Opens `start` and submits the first form of each page until there is none, or a code is shown. */
export async function signIn(
  start: string,
  who: Credentials,
  browser: Browser = createBrowser(),
): Promise<Visit> {
  const pages: BrowserPage[] = [];
  let page = await browser.open(start);
  for (let i = 0; i < PAGES_MAX; i++) {
    pages.push(page);
    const code = textOfId(page, "code");
    const form = formsOf(page)[0];
    if (code !== undefined || form === undefined || page.status >= 400)
      return { pages, status: page.status, code };
    const values = Object.entries(who).filter(([name]) => name in form.fields);
    page = await browser.submit(page, Object.fromEntries(values));
  }
  throw new Error(`no end after ${PAGES_MAX} pages, last ${page.url}`);
}

if (import.meta.main) {
  const who = { email: process.env.QF_TEST_EMAIL ?? "", password: process.env.QF_TEST_PASSWORD ?? "" };
  const visit = await signIn(process.argv[2] ?? "", who);
  const log = process.env.QF_TEST_BROWSER_LOG;
  const pages = visit.pages.map(({ url, status, text }) => ({ url, status, text }));
  if (log !== undefined) appendFileSync(log, `${JSON.stringify({ pages })}\n`);
  process.exitCode = visit.status < 400 ? 0 : 1;
}
