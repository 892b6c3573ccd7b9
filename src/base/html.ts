/**
 * Plain HTML pages without scripts: one escaping helper, one layout, one set of headers. The style is in
 * `page-style.ts`.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { ICON_MARKUP, ICON_URL, STYLE } from "./page-style.ts";

/** Markup that is safe to put into a page. Made by `html` only. */
export interface Html {
  readonly markup: string;
}

type Part = string | number | Html | readonly Html[] | null;

/** Markup in which every interpolated string is escaped. Null renders as nothing. */
export function html(strings: TemplateStringsArray, ...parts: readonly Part[]): Html {
  let markup = strings[0] ?? "";
  parts.forEach((part, i) => {
    markup += render(part) + (strings[i + 1] ?? "");
  });
  return { markup };
}

function render(part: Part): string {
  if (part === null) return "";
  if (typeof part === "string" || typeof part === "number") return escapeHtml(String(part));
  if ("markup" in part) return part.markup;
  return part.map((one) => one.markup).join("");
}

/** Safe between tags and inside quoted attributes. */
function escapeHtml(text: string): string {
  const entities: Record<string, string> = {
    "&": "&amp;",
    "<": "&lt;",
    ">": "&gt;",
    '"': "&quot;",
    "'": "&#39;",
  };
  return text.replace(/[&<>"']/g, (character) => entities[character] ?? "");
}

const STYLE_HASH = createHash("sha256").update(STYLE).digest("base64");

/** A whole page: our name and icon, one card with `title` (escaped) and `body`. All our pages use it. */
export function page(title: string, body: Html): string {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<meta name="color-scheme" content="light dark">
<title>${title} - QuFabric</title>
<link rel="icon" href="${ICON_URL}">
<style>${{ markup: STYLE }}</style>
</head>
<body>
<div class="frame">
<header><p class="brand">${{ markup: ICON_MARKUP }}QuFabric</p></header>
<main>
<h1>${title}</h1>
${body}
</main>
</div>
</body>
</html>
`.markup;
}

/**
 * Headers of every page: no script, no framing, no caching.
 *
 * `formTargets`: origins other than ours at which a form may end up. Browsers apply the rule to redirects
 * after a submission too, so the client's redirect URI must be included.
 */
export function pageHeaders(formTargets: readonly string[] = []): Record<string, string> {
  const policy = [
    "default-src 'none'",
    `style-src 'sha256-${STYLE_HASH}'`,
    // The tab's icon, inlined in the page.
    "img-src data:",
    `form-action ${["'self'", ...formTargets].join(" ")}`,
    "frame-ancestors 'none'",
    "base-uri 'none'",
  ];
  return {
    "content-type": "text/html; charset=utf-8",
    "content-security-policy": policy.join("; "),
    ...SAFE_HEADERS,
  };
}

/** Headers of every response from management, pages or not. */
export const SAFE_HEADERS: Readonly<Record<string, string>> = {
  "cache-control": "no-store",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  // Not no-referrer: that makes browsers send `Origin: null` with our own forms.
  "referrer-policy": "same-origin",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
};

/** A page with one message and the next step. Both may come from a failure: lowercase, no full stop. */
export function messagePage(title: string, message: string, hint?: string): string {
  const next = hint === undefined ? null : html`<p class="hint">${sentence(hint)}</p>`;
  return page(title, html`<p>${sentence(message)}</p>${next}`);
}

/** Turns a terminal message into a sentence for a page. Commands keep their case. */
function sentence(text: string): string {
  const isCommand = text.startsWith("qf ");
  const begun = isCommand ? text : text.slice(0, 1).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(begun) ? begun : `${begun}.`;
}

/** A list of facts: what is asked for, by whom, from where. */
export function factList(facts: readonly (readonly [name: string, value: string])[]): Html {
  return html`<dl>${facts.map(([name, value]) => html`<dt>${name}</dt><dd>${value}</dd>`)}</dl>`;
}
