import { expect, test } from "bun:test";
import { bundleText, csvHeading, csvRow } from "../../src/log/bundle-text.ts";
import { canonicalJson } from "../../src/log/canonical-json.ts";
import { aBundle, anEntry, entries, verify } from "../support/log-bundle.ts";

const all = entries(150);

async function* pages(size: number) {
  for (let i = 0; i < all.length; i += size) {
    yield all.slice(i, i + size).map((entry) => ({ seq: entry.seq, line: canonicalJson(entry) }));
  }
}

test("the text of a bundle is the same whatever the pages, and verifies", async () => {
  const header = JSON.parse(aBundle(all)[0] ?? "");
  const [a, b] = await Promise.all([7, 100].map((size) => Array.fromAsync(bundleText(header, pages(size)))));
  expect(a).toEqual(b as string[]);
  expect(a).toEqual(aBundle(all));
  expect(verify(a ?? []).findings).toEqual([]);
});

test("what the log has beyond the header's last entry is left out", async () => {
  const header = JSON.parse(aBundle(all, { last: 100 })[0] ?? "");
  expect(verify(await Array.fromAsync(bundleText(header, pages(64))))).toMatchObject({
    findings: [],
    entries: 100,
  });
});

test.each([
  ["a formula", "=1+1", "'=1+1"],
  ["a plus", "+1", "'+1"],
  ["a minus", "-1", "'-1"],
  ["an at sign", "@SUM(A1)", "'@SUM(A1)"],
  ["a comma", "a,b", '"a,b"'],
  ["quotes", 'a"b', '"a""b"'],
  ["a formula with a comma", "=A1,B1", `"'=A1,B1"`],
  ["a line break", "a\nb", '"a\nb"'],
])("a cell with %s is no more than text to a spreadsheet", (_, name, cell) => {
  expect(csvRow(canonicalJson(anEntry(1, { initiator_name: name, meta: {} })))?.includes(`,${cell},`)).toBe(
    true,
  );
});

test("a row has a cell for each heading, and an entry without its body none", () => {
  const row = csvRow(canonicalJson(anEntry(1, { meta: {} }))) ?? "";
  expect(row.split(",")).toHaveLength(csvHeading().split(",").length);
  expect(csvRow(canonicalJson({ seq: 1, hash: Buffer.alloc(32).toString("base64") }))).toBeUndefined();
});
