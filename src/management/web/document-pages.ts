/**
 * Serves the documents under `/docs` as plain pages without script. They are part of the build, so they
 * describe what it does.
 *
 * @module
 */
import { dirname, join } from "node:path/posix";
import { html, page } from "../../base/html.ts";
import { readDocuments } from "./read-documents.ts" with { type: "macro" };

/** Path of the pages; the README is at the path itself. */
export const DOCUMENTS_PATH = "/docs";

const TEXTS: ReadonlyMap<string, string> = new Map(Object.entries(readDocuments()));
/** Marks for our own tests; readers do not see them. */
const COMMENT = /<!--[\s\S]*?-->/g;

/** The path of every page. */
export function documentPaths(): string[] {
  return [...TEXTS.keys()].map(pathOf);
}

/** The page at `pathname`, or undefined if there is none. */
export function documentPage(pathname: string): string | undefined {
  const found = [...TEXTS].find(([name]) => pathOf(name) === pathname);
  if (found === undefined) return undefined;
  const [name, text] = found;
  const [, title = "Documentation", rest = ""] = /^# (.+)\n([\s\S]*)$/.exec(text) ?? [];
  const markup = Bun.markdown.html(rest.replace(COMMENT, ""), { headings: { ids: true }, tables: true });
  const up = name === "README.md" ? null : html`<p><a href="${DOCUMENTS_PATH}">All pages</a></p>`;
  return page(title, html`<div class="document">${up}${{ markup: withLinks(markup, name) }}</div>`);
}

/** `docs/providers/okta.md` is at `/docs/providers/okta`, and a folder's README at the folder. */
function pathOf(name: string): string {
  if (name === "README.md") return DOCUMENTS_PATH;
  const plain = name
    .replace(/^docs\//, "")
    .replace(/\.md$/, "")
    .replace(/\/README$/, "");
  return `${DOCUMENTS_PATH}/${plain}`;
}

/** Makes links lead to pages here, and keeps only the text of links to files that are not pages. */
function withLinks(markup: string, from: string): string {
  return markup.replace(
    /<a href="([^"]*)"([^>]*)>([\s\S]*?)<\/a>/g,
    (whole, href: string, rest: string, text: string) => {
      if (/^(?:https?:|#)/.test(href)) return whole;
      const [path = "", anchor] = href.split("#");
      const name = join(dirname(from), path);
      if (!TEXTS.has(name)) return text;
      return `<a href="${pathOf(name)}${anchor === undefined ? "" : `#${anchor}`}"${rest}>${text}</a>`;
    },
  );
}
