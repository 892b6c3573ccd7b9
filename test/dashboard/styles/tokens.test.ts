/** Contrast of the tokens, computed: 4.5:1 for text, 3:1 for edges of controls and for the focus. */
import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";

const CSS = readFileSync(resolve(import.meta.dir, "../../../src/dashboard/styles/tokens.css"), "utf8");

function tokens(theme: 1 | 2): Record<string, string> {
  const pairs = [...CSS.matchAll(/--([\w-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\)/g)];
  return Object.fromEntries(pairs.map((m) => [m[1], m[theme + 1] ?? ""]));
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

const THEMES = { light: tokens(1), dark: tokens(2) };
const SURFACES = ["ground", "card", "raised", "sunken"];

test("every colour is written once, in both themes", () => {
  const names = [...CSS.slice(0, CSS.indexOf("@theme")).matchAll(/--([\w-]+):/g)].map((m) => m[1] ?? "");
  expect(names).toEqual([...new Set(names)]);
  expect(Object.keys(THEMES.dark).length).toBeGreaterThan(15);
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
