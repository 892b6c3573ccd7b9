/** Entries with a proof: which are believed to be in the log. */
import { expect, test } from "bun:test";
import { provenEntry } from "../../../src/agent/control-link/proven-leaf.ts";
import { canonicalJson } from "../../../src/log/canonical-json.ts";
import { readNote } from "../../../src/log/checkpoint.ts";
import { treeHash } from "../../../src/log/tree-hash.ts";
import { inclusionRanges } from "../../../src/log/tree-ranges.ts";
import { entries, hashesOf, noteOfEntries } from "../../support/log-bundle.ts";

const all = entries(5);
const tree = readNote(noteOfEntries(all));
const proof = inclusionRanges(2, all.length).map(({ from, to }) =>
  Buffer.from(treeHash(hashesOf(all).slice(from, to))).toString("base64"),
);
const shown = { seq: 3, leaf: canonicalJson(all[2]), proof };

test.each([
  ["it is there", {}, true],
  ["another entry's text", { leaf: canonicalJson(all[3]) }, false],
  ["another place", { seq: 4 }, false],
  ["no proof", { proof: [] }, false],
  ["text that is no entry", { leaf: "x" }, false],
])("%s", (_what, change, isThere) => {
  if (tree === undefined) throw new Error("the note cannot be read");
  expect(provenEntry({ ...shown, ...change }, tree) !== undefined).toBe(isThere);
});
