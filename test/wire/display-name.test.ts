/** Names of people's own choosing: any that can be seen, and host names that nothing of them gets into. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { DisplayName, labelOf, RuleName, shortName, shownName } from "../../src/wire/display-name.ts";
import { HostLabel } from "../../src/wire/units.ts";
import { HOSTILE_NAMES } from "../support/hostile-names.ts";

describe("a name that can be seen is taken as it is", () => {
  test.each([
    "Developers",
    "Bündnis 1",
    "Prod (EU)",
    "R&D",
    "team #1",
    "O'Brien",
    "dev -> prod (ssh)",
    "_internal",
    "-x",
    "$HOME",
    "`id`",
    "a|b;c",
    'say "hi"',
    "C:\\x",
    "50 %",
    "日本語",
    "مرحبا",
    "हिन्दी",
    "❤️ ops",
    "👩‍💻 team",
    "1️⃣ first",
    "🇩🇪",
    "é".normalize("NFC"),
    "x".repeat(256),
    "🚀".repeat(256),
  ])("%s", (name) => {
    expect(DisplayName.parse(name)).toBe(name);
  });
});

describe("a name that cannot be seen whole is refused", () => {
  test.each<[string, string]>([
    ["nothing", ""],
    ["white space", " \t "],
    ["a tab within", "a\tb"],
    ["a line break", "a\nb"],
    ["NUL", "a\u0000b"],
    ["an escape", "\u001b[31mred"],
    ["C1 control", "a\u009bb"],
    ["right to left override", "a\u202eb"],
    ["an isolate", "a\u2066b"],
    ["Arabic letter mark", "a\u061cb"],
    ["zero-width space", "a\u200bb"],
    ["zero-width joiner in a word", "a\u200db"],
    ["zero-width non-joiner", "a\u200cb"],
    ["word joiner", "a\u2060b"],
    ["byte order mark", "a\ufeffb"],
    ["soft hyphen", "a\u00adb"],
    ["Hangul filler", "a\u3164b"],
    ["a selector without an emoji", "a\ufe0fb"],
    ["tag characters", "a\u{e0061}b"],
    ["line separator", "a\u2028b"],
    ["half a surrogate pair", "a\ud800b"],
    ["private use", "a\ue000b"],
    ["a noncharacter", "a\uffffb"],
    ["a mark on nothing", "\u0301a"],
    ["257 characters", "x".repeat(257)],
  ])("%s", (_, name) => {
    expect(DisplayName.safeParse(name).success).toBe(false);
  });
});

test("names are kept in NFC, without white space at their ends", () => {
  expect(DisplayName.parse("  Büro ".normalize("NFD"))).toBe("Büro".normalize("NFC"));
});

test("a rule may have no name", () => {
  expect(RuleName.parse("")).toBe("");
  expect(RuleName.safeParse("a\u202e").success).toBe(false);
});

test.each([
  ["web1", "web1"],
  ["My Laptop", "my-laptop"],
  ["Renamed-One", "renamed-one"],
  ["db_1", "db-1"],
  ["host.example.com", "host"],
  ["v1.2 box", "v1-2-box"],
  ["10.0.0.1", "10-0-0-1"],
  ["Büro Süd", "buro-sud"],
  ["ＷＥＢ１", "web1"],
  ["  --x--  ", "x"],
  ["$(touch x)", "touch-x"],
  ["日本", ""],
  ["🚀", ""],
  [`${"a".repeat(62)}-b`, "a".repeat(62)],
])("the host name of %j is %j", (name, label) => {
  expect(labelOf(name)).toBe(label);
});

test("whatever the name, its host name is one label or nothing", () => {
  const check = (text: string): void => {
    const label = labelOf(text);
    if (label !== "") expect(HostLabel.safeParse(label).success).toBe(true);
    expect(labelOf(label)).toBe(label);
  };
  for (const name of HOSTILE_NAMES) check(name);
  fc.assert(fc.property(fc.string({ unit: "grapheme", maxLength: 100 }), check), { numRuns: 5_000 });
});

test("what of a name from elsewhere can be shown is a name", () => {
  expect(shownName("O'Brien\u202e (ops)\n")).toBe("O'Brien (ops)");
  expect(shownName("\u200b \u0301")).toBeUndefined();
  expect(shownName(undefined)).toBeUndefined();
  expect(shownName("x".repeat(999))).toBe("x".repeat(256));
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 400 }), (text) => {
      const shown = shownName(text);
      if (shown !== undefined) expect(DisplayName.parse(shown)).toBe(shown);
    }),
    { numRuns: 5_000 },
  );
});

test("a shortened name has no half of a character", () => {
  expect(shortName("ab🚀", 3)).toBe("ab");
  expect(shortName("ab🚀", 4)).toBe("ab🚀");
  expect(shortName("abc", 128)).toBe("abc");
});
