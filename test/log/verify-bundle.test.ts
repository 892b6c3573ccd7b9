import { expect, test } from "bun:test";
import fc from "fast-check";
import { canonicalJson } from "../../src/log/canonical-json.ts";
import { aBundle, anEntry, entries, found, noteOfEntries, trusted, verify } from "../support/log-bundle.ts";

const all = entries(150);
const lines = aBundle(all);
const at = (seq: number): number =>
  lines.findIndex((line) =>
    line.endsWith(`"seq":${seq},"stored_at_ms":${2000 + seq},"target_id":"g34hgk3f9s8d7f6g5h4j"}`),
  );

/** The bundle with some lines replaced: none, one or several for each. */
const edited = (edit: (text: string, index: number) => string | readonly string[]): string[] =>
  lines.flatMap((text, index) => edit(text, index));

test("an export as it was made has no findings and is anchored by its key", () => {
  expect(verify(lines)).toMatchObject({ findings: [], isAnchored: true, entries: 150, pruned: 0, size: 150 });
});

test.each([1, 2, 63, 64, 65, 128, 149])("of size %i as well", (size) => {
  expect(verify(aBundle(entries(size)))).toMatchObject({ findings: [], size });
});

test("a bundle checked by nothing but its own keys is not anchored", () => {
  expect(verify(lines, { keys: [], checkpoints: [] })).toMatchObject({ findings: [], isAnchored: false });
});

test("a checkpoint from outside anchors it", () => {
  const checkpoints = [noteOfEntries(all, 77)];
  expect(verify(lines, { keys: [], checkpoints })).toMatchObject({ findings: [], isAnchored: true });
});

test("one byte changed in an entry is found, and the entry named", () => {
  expect(found(edited((text, i) => (i === at(70) ? text.replace("group 70", "group 71") : text)))).toEqual([
    "entry_changed 70",
  ]);
});

test("one byte changed anywhere is found", () => {
  const small = aBundle(entries(5)).join("\n");
  fc.assert(
    fc.property(fc.nat({ max: small.length - 1 }), fc.integer({ min: 32, max: 126 }), (index, code) => {
      const character = String.fromCharCode(code);
      fc.pre(small[index] !== character && small[index] !== "\n");
      const changed = small.slice(0, index) + character + small.slice(index + 1);
      const { findings, isAnchored } = verify(changed.split("\n"));
      expect(findings.length > 0 || !isAnchored).toBe(true);
    }),
    { numRuns: 400 },
  );
});

test("an entry that was removed is named", () => {
  expect(found(edited((text, i) => (i === at(3) ? [] : text)))).toEqual(["entry_missing 3"]);
});

test("two entries that were swapped are named", () => {
  const [a, b] = [lines[at(10)] as string, lines[at(11)] as string];
  expect(found(edited((text, i) => (i === at(10) ? b : i === at(11) ? a : text)))).toEqual([
    "entry_misplaced 10",
  ]);
});

test("an entry that stands there twice is named", () => {
  expect(found(edited((text, i) => (i === at(10) ? [text, text] : text)))).toEqual(["entry_misplaced 10"]);
});

test("an entry that was changed with the hash beside it is found by the tree", () => {
  const forged = [...all];
  forged[69] = anEntry(70, { meta: { name: "forged" } });
  const body = aBundle(forged).slice(1);
  expect(found([lines[0] as string, ...body])).toEqual(["tree_differs 150"]);
  const marked = aBundle(all, { marks: [50, 100, 120] })[0] as string;
  expect(found([marked, ...body])).toEqual(["tree_differs 100"]);
});

test("a body that was taken out from among others is named", () => {
  const hash = JSON.parse(aBundle(all, { prunedThrough: 150 })[at(70)] as string).hash;
  expect(found(edited((text, i) => (i === at(70) ? canonicalJson({ seq: 70, hash }) : text)))).toEqual([
    "entry_missing 70",
  ]);
});

test("what retention has removed verifies by its hashes", () => {
  expect(verify(aBundle(all, { prunedThrough: 90 }))).toMatchObject({
    findings: [],
    entries: 60,
    pruned: 90,
  });
});

test.each([
  ["the beginning", 1, 20],
  ["the middle", 33, 97],
  ["the end", 100, 150],
  ["one entry", 64, 64],
  ["none", 1, 0],
])("a bundle of %s verifies", (_, first, last) => {
  expect(verify(aBundle(all, { first, last }))).toMatchObject({ findings: [], entries: last - first + 1 });
});

test("a bundle without lines of hashes verifies, and what was changed in it is found", () => {
  const bare = lines.filter((line) => !line.startsWith('{"first"'));
  expect(found([lines[0] as string, ...bare.slice(1)])).toEqual([]);
  expect(
    found([lines[0] as string, ...bare.slice(1).map((line) => line.replace("group 9", "group x"))]),
  ).not.toEqual([]);
});

test("a bundle that is cut off says how far it goes", () => {
  expect(found(lines.slice(0, at(100)))).toContain("entry_missing 100");
  expect(found(lines.slice(0, 1))).toEqual(["entry_missing 1"]);
});

test("more entries than the first line says are found", () => {
  const more = aBundle(entries(151)).slice(1);
  expect(found([lines[0] as string, ...more])).toEqual(["bundle_unreadable 151"]);
});

test.each([
  ["nothing", []],
  ["an empty line", [""]],
  ["no JSON", ["x"]],
  ["another shape", ["{}"]],
  ["a header with a key that is none", [(lines[0] as string).replace(/\+[0-9a-f]{8}\+/, "+00000000+")]],
  ["a header that contradicts itself", [(lines[0] as string).replace('"last":150', '"last":151')]],
])("of %s it says that it is no bundle", (_, bundle) => {
  expect(found(bundle)).toEqual(["bundle_unreadable -"]);
});

test("lines that are no entries are findings, never a throw, and only so many are kept", () => {
  const noise = Array.from(
    { length: 500 },
    (_, i) => ["[", "null", '{"seq":1}', `{"first":${i},"hashes":[]}`][i % 4] ?? "",
  );
  const { findings, more } = verify([lines[0] as string, ...noise, ...lines.slice(1)]);
  expect(findings).toHaveLength(100);
  expect(more).toBeGreaterThan(0);
});

test("an entry that says two things is not in canonical form", () => {
  expect(
    found(
      edited((text, i) =>
        i === at(5) ? text.replace('{"activity_code"', '{"seq":6,"activity_code"') : text,
      ),
    ),
  ).toContain("entry_changed 5");
});

test("the key that is known decides, whatever else the bundle lists", () => {
  expect(trusted.keys).toHaveLength(1);
  expect(
    found(lines, { keys: [{ name: "other", publicKey: trusted.keys[0]?.publicKey ?? "" }], checkpoints: [] }),
  ).toEqual(["other_log -"]);
});
