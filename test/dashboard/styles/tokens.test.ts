/** Contrast of the tokens, computed: 4.5:1 for text, 3:1 for edges of controls and for the focus. */
import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";

const CSS = readFileSync(resolve(import.meta.dir, "../../../src/dashboard/styles/tokens.css"), "utf8");

function tokens(selector: string): Record<string, string> {
  const block = CSS.slice(CSS.indexOf(selector)).match(/\{([^}]*)\}/)?.[1] ?? "";
  return Object.fromEntries(
    [...block.matchAll(/--([\w-]+): (#[0-9a-f]{6})/g)].map((m) => [m[1], m[2] ?? ""]),
  );
}

function luminance(colour: string): number {
  const [r = 0, g = 0, b = 0] = [1, 3, 5].map((at) => {
    const value = Number.parseInt(colour.slice(at, at + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(a: string, b: string): number {
  const [high = 0, low = 0] = [luminance(a), luminance(b)].sort((x, y) => y - x);
  return (high + 0.05) / (low + 0.05);
}

const THEMES = { light: tokens(":root {"), dark: tokens(':root[data-theme="dark"]') };
const SURFACES = ["ground", "card", "raised", "sunken"];

test("the dark theme of the system is that of the button", () => {
  expect(tokens(':root[data-theme="system"]')).toEqual(THEMES.dark);
});

test.each(Object.entries(THEMES))("%s: text stands out from what it is on", (_theme, of) => {
  const pairs = [
    ...["ink", "soft"].flatMap((text) => SURFACES.map((surface) => [text, surface] as const)),
    ...["card", "accent-ground"].map((surface) => ["accent", surface] as const),
    ["on-accent", "accent"],
    ["on-accent", "accent-over"],
    ["on-bad", "bad"],
    ...["good", "warn", "bad"].flatMap((tone) => [
      [tone, `${tone}-ground`] as const,
      [tone, "card"] as const,
    ]),
  ];
  const weak = pairs.filter(([text = "", on = ""]) => contrast(of[text] ?? "", of[on] ?? "") < 4.5);
  expect(weak).toEqual([]);
});

test.each(Object.entries(THEMES))("%s: controls and the focus stand out", (_theme, of) => {
  const pairs = ["edge", "accent"].flatMap((line) => SURFACES.map((surface) => [line, surface] as const));
  expect(pairs.filter(([line, on]) => contrast(of[line] ?? "", of[on] ?? "") < 3)).toEqual([]);
});
