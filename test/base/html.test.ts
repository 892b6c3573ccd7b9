import { expect, test } from "bun:test";
import fc from "fast-check";
import { factList, html, messagePage, page, pageHeaders } from "../../src/base/html.ts";

test("html escapes what is put into it, and nothing twice", () => {
  const inner = html`<b>${"<&>"}</b>`;
  expect(html`<p title="${"\"'"}">${inner}${[inner]}${null}${1}</p>`.markup).toBe(
    '<p title="&quot;&#39;"><b>&lt;&amp;&gt;</b><b>&lt;&amp;&gt;</b>1</p>',
  );
});

test("no text can open or close a tag, an attribute or an entity", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      const { markup } = html`<a href="${text}">${text}</a>`;
      expect(markup.slice(9, -4).replace('">', "")).not.toMatch(/[<>"']|&(?!amp;|lt;|gt;|quot;|#39;)/);
    }),
  );
});

test("a page has a language, a title, and no script", () => {
  const text = page("A <title>", factList([["Name", "<value>"]]));
  expect(text).toContain('<html lang="en">');
  expect(text).toContain("A &lt;title&gt;");
  expect(text).not.toContain("<script");
});

test.each([
  ["this link is over", "<p>This link is over.</p>"],
  ["This sign-in is over.", "<p>This sign-in is over.</p>"],
  ["qf login signs you in", "<p>qf login signs you in.</p>"],
])("a failure's line %p is a sentence of a page", (line, want) => {
  expect(messagePage("Failed", line)).toContain(want);
  expect(messagePage("Failed", "x", line)).toContain(want.replace("<p>", '<p class="hint">'));
});

test("a page's headers allow its own style and its own forms, and nothing else", () => {
  const policy = pageHeaders(["https://idp.example.com"])["content-security-policy"] ?? "";
  expect(policy).toContain("default-src 'none'");
  expect(policy).toContain("form-action 'self' https://idp.example.com");
  expect(policy).toMatch(/style-src 'sha256-[A-Za-z0-9+/=]{44}'/);
  expect(policy).not.toContain("unsafe");
  expect(policy).not.toContain("script-src");
});

test("a page loads nothing: its icon, its name and its style are in it", () => {
  const text = page("Sign in", html`<p>x</p>`);
  expect(text).toContain("<svg");
  expect(text).toContain("QuFabric");
  expect([...text.matchAll(/(?:src|href)="([^"]*)"/g)].map(([, to = ""]) => to.slice(0, 5))).toEqual([
    "data:",
  ]);
  expect(text).not.toMatch(/url\(|@import/);
});
