import { expect, test } from "bun:test";
import { documentPage, documentPaths } from "../../../src/management/web/document-pages.ts";
import { documents } from "../../tidy/documents.ts";

const PAGES = new Map(documentPaths().map((path) => [path, documentPage(path) ?? ""]));

test("every page of docs is there, and those of the top folder that concern who runs it", () => {
  const docs = documents().filter(({ path }) => path.startsWith("docs/"));
  expect(PAGES.size).toBe(docs.length + 4);
  for (const path of [
    "/docs",
    "/docs/install",
    "/docs/providers",
    "/docs/providers/okta",
    "/docs/SECURITY",
  ]) {
    expect(PAGES.has(path)).toBe(true);
  }
});

test.each(["", "/", "/docs/", "/docs/nothing", "/docs/../README", "/docs/install.md"])(
  "%j is no page",
  (path) => {
    expect(documentPage(path)).toBeUndefined();
  },
);

test("a page is Markdown no more, holds nothing that runs, and no mark of our tests", () => {
  const [, install = ""] = [...PAGES].find(([path]) => path === "/docs/install") ?? [];
  expect(install).toContain("<h1>Installing</h1>");
  expect(install).toContain('<h2 id="what-it-does">');
  for (const text of PAGES.values()) {
    expect(text).not.toMatch(/<script|<!--|javascript:|\son\w+=|```/);
    expect(text.match(/<h1/g)).toHaveLength(1);
  }
});

test("every link leads to a page that is there, and to a heading on it", () => {
  const broken = [...PAGES].flatMap(([from, text]) =>
    [...text.matchAll(/<a href="([^"]+)"/g)]
      .map(([, href = ""]) => href)
      .filter((href) => !/^https?:/.test(href))
      .filter((href) => {
        const [path = "", anchor] = href.split("#");
        const target = PAGES.get(path === "" ? from : path);
        return target === undefined || (anchor !== undefined && !target.includes(` id="${anchor}"`));
      })
      .map((href) => `${from}: ${href}`),
  );
  expect(broken).toEqual([]);
});
