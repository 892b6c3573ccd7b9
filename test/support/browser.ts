/**
 * What a person's browser does on our pages: cookies, redirects, forms. No script is ever run.
 *
 * @module
 */

export interface BrowserPage {
  readonly url: string;
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

export interface Form {
  readonly action: string;
  readonly method: string;
  readonly fields: Record<string, string>;
  /** Buttons as name and value. */
  readonly buttons: { readonly name: string; readonly value: string }[];
}

/** How a redirect to elsewhere (a loopback callback that nothing listens on) is told apart. */
export interface BrowserOptions {
  /** Redirects to such a URL end the walk; its page has status 0. */
  readonly stopAt?: (url: string) => boolean;
  /** Sent with each request: a proxy's word for where it comes from. */
  readonly headers?: Readonly<Record<string, string>>;
}

const STEPS_MAX = 20;

/** A browser with an empty cookie jar. */
export function createBrowser(options: BrowserOptions = {}) {
  const jar = new Map<string, { value: string; origin: string; path: string }>();

  function cookieHeader(url: URL): string {
    return [...jar.entries()]
      .filter(([, cookie]) => cookie.origin === url.origin && url.pathname.startsWith(cookie.path))
      .map(([key, cookie]) => `${key.split(" ")[2]}=${cookie.value}`)
      .join("; ");
  }

  function keep(url: URL, headers: Headers): void {
    for (const line of headers.getSetCookie()) {
      const [pair = "", ...attributes] = line.split(";").map((part) => part.trim());
      const at = pair.indexOf("=");
      const name = pair.slice(0, at);
      const value = pair.slice(at + 1);
      const path = attributes.find((one) => /^path=/i.test(one))?.slice(5) ?? "/";
      const key = `${url.origin} ${path} ${name}`;
      const gone =
        attributes.some((one) => /^max-age=0$/i.test(one) || /^expires=Thu, 01 Jan 1970/i.test(one)) ||
        value === "";
      if (gone) jar.delete(key);
      else jar.set(key, { value, origin: url.origin, path });
    }
  }

  async function walk(start: string, init: { method: string; body?: URLSearchParams; from?: string }) {
    let url = new URL(start);
    let { method, body } = init;
    for (let step = 0; step < STEPS_MAX; step++) {
      if (options.stopAt?.(url.href)) return { url: url.href, status: 0, headers: new Headers(), text: "" };
      const cookie = cookieHeader(url);
      const response = await fetch(url, {
        method,
        redirect: "manual",
        headers: {
          ...options.headers,
          ...(cookie === "" ? {} : { cookie }),
          ...(method === "POST" && init.from !== undefined ? { origin: new URL(init.from).origin } : {}),
        },
        ...(body === undefined ? {} : { body }),
      });
      keep(url, response.headers);
      const location = response.headers.get("location");
      const text = await response.text();
      if (location === null)
        return { url: url.href, status: response.status, headers: response.headers, text };
      url = new URL(location, url);
      method = "GET";
      body = undefined;
    }
    throw new Error("too many redirects");
  }

  return {
    jar,
    open: (url: string): Promise<BrowserPage> => walk(url, { method: "GET" }),
    /**
     * Fills `values` into the form of `page` that has these fields, or presses `button` of the first that has
     * it.
     */
    submit(page: BrowserPage, values: Record<string, string>, button?: string): Promise<BrowserPage> {
      const form = formsOf(page).find(
        (one) =>
          Object.keys(values).every((name) => name in one.fields) &&
          (button === undefined || one.buttons.some(({ value }) => value === button)),
      );
      if (form === undefined) throw new Error(`no such form on ${page.url}: ${page.text.slice(0, 2000)}`);
      const pressed =
        button === undefined ? form.buttons[0] : form.buttons.find(({ value }) => value === button);
      const fields = { ...form.fields, ...values };
      if (pressed !== undefined && pressed.name !== "") fields[pressed.name] = pressed.value;
      return walk(form.action, { method: form.method, body: new URLSearchParams(fields), from: page.url });
    },
  };
}

export type Browser = ReturnType<typeof createBrowser>;

/** The forms of a page with their fields as they stand. */
export function formsOf(page: BrowserPage): Form[] {
  return [...page.text.matchAll(/<form\b([^>]*)>([\s\S]*?)<\/form>/gi)].map(([, head = "", inner = ""]) => {
    const action = attribute(head, "action");
    const fields: Record<string, string> = {};
    for (const [, tag = ""] of inner.matchAll(/<input\b([^>]*)>/gi)) {
      const name = attribute(tag, "name");
      if (name !== undefined) fields[name] = attribute(tag, "value") ?? "";
    }
    const buttons = [...inner.matchAll(/<button\b([^>]*)>/gi)].map(([, tag = ""]) => ({
      name: attribute(tag, "name") ?? "",
      value: attribute(tag, "value") ?? "",
    }));
    const method = (attribute(head, "method") ?? "get").toUpperCase();
    return { action: new URL(action ?? page.url, page.url).href, method, fields, buttons };
  });
}

/** Text of the element with this id. */
export function textOfId(page: BrowserPage, id: string): string | undefined {
  const match = new RegExp(`<[a-z]+[^>]*\\bid="${id}"[^>]*>([^<]*)<`, "i").exec(page.text);
  return match?.[1] === undefined ? undefined : unescapeHtml(match[1]);
}

function attribute(tag: string, name: string): string | undefined {
  const value = new RegExp(`\\b${name}="([^"]*)"`, "i").exec(tag)?.[1];
  return value === undefined ? undefined : unescapeHtml(value);
}

function unescapeHtml(text: string): string {
  return text
    .replace(/&lt;/g, "<")
    .replace(/&gt;/g, ">")
    .replace(/&quot;/g, '"')
    .replace(/&#39;/g, "'")
    .replace(/&amp;/g, "&");
}
