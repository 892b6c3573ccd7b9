import { expect, test } from "bun:test";
import { STYLE } from "../../src/base/page-style.ts";

/** The colours of each theme: those of `:root`, and for dark what its media query puts in their place. */
function themes(): Record<"light" | "dark", Map<string, string>> {
  const [light = "", dark = ""] = [...STYLE.matchAll(/:root\s*\{([^}]*)\}/g)].map(([, body = ""]) => body);
  const read = (body: string): [string, string][] =>
    [...body.matchAll(/--([a-z-]+):\s*(#[0-9a-f]{3,6})/g)].map(([, name = "", colour = ""]) => [
      name,
      colour,
    ]);
  return { light: new Map(read(light)), dark: new Map([...read(light), ...read(dark)]) };
}

/** WCAG 2.2: contrast of two colours, from 1 to 21. */
function contrast(a: string, b: string): number {
  const [high = 0, low = 0] = [luminance(a), luminance(b)].sort((x, y) => y - x);
  return (high + 0.05) / (low + 0.05);
}

function luminance(colour: string): number {
  const digits =
    colour.length === 4 ? [...colour.slice(1)].map((digit) => digit + digit).join("") : colour.slice(1);
  const [r = 0, g = 0, b = 0] = [0, 2, 4].map((at) => {
    const share = Number.parseInt(digits.slice(at, at + 2), 16) / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

test("contrast is that of WCAG", () => {
  expect(contrast("#fff", "#000000")).toBeCloseTo(21, 5);
  expect(contrast("#777777", "#fff")).toBeCloseTo(4.48, 2);
});

const PAIRS = [
  { front: "text", back: "card", least: 4.5 },
  { front: "text", back: "ground", least: 4.5 },
  { front: "soft", back: "card", least: 4.5 },
  { front: "soft", back: "ground", least: 4.5 },
  { front: "accent", back: "card", least: 4.5 },
  { front: "on-accent", back: "accent", least: 4.5 },
  { front: "on-accent", back: "accent-over", least: 4.5 },
  { front: "bad", back: "bad-ground", least: 4.5 },
  { front: "edge", back: "card", least: 3 },
  { front: "accent", back: "ground", least: 3 },
];

const ROWS = (["light", "dark"] as const).flatMap((theme) => PAIRS.map((pair) => ({ theme, ...pair })));

test.each(ROWS)("$theme: $front on $back has $least to one", ({ theme, front, back, least }) => {
  const colours = themes()[theme];
  expect(contrast(colours.get(front) ?? "", colours.get(back) ?? "")).toBeGreaterThanOrEqual(least);
});

test("dark and light are other colours, and what has the focus is shown", () => {
  expect(themes().dark.get("card")).not.toBe(themes().light.get("card"));
  expect(STYLE).toMatch(/:focus-visible\s*\{\s*outline: ?3px/);
  expect(STYLE).not.toMatch(/outline: ?none/);
});
