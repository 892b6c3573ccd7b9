import { expect, test } from "bun:test";
import {
  chosenColumns,
  parseListView,
  VIEWS_MAX,
  withoutSaved,
  withSaved,
} from "../../../src/dashboard/components/list-view.ts";

const EMPTY = { columns: {}, saved: [] };

test.each([
  null,
  "",
  "{",
  "7",
  "[]",
  '{"columns":7,"saved":{}}',
  '{"saved":[null,{"name":""},{"terms":{}}],"columns":{"os":"x"}}',
])("what is stored damaged, %p, counts as nothing", (text) => {
  expect(parseListView(text)).toEqual(EMPTY);
});

test("what is written is read back, without terms that are no text", () => {
  const view = { columns: { os: false }, saved: [{ name: "web", terms: { q: "web -old" } }] };
  expect(parseListView(JSON.stringify(view))).toEqual(view);
  expect(parseListView('{"saved":[{"name":"a","terms":{"q":7,"state":"lost"}}]}').saved).toEqual([
    { name: "a", terms: { state: "lost" } },
  ]);
  const many = Array.from({ length: VIEWS_MAX + 5 }, (_, i) => ({ name: `v${i}`, terms: {} }));
  expect(parseListView(JSON.stringify({ saved: many })).saved).toHaveLength(VIEWS_MAX);
});

test("saved views are in order of their names; one of the same name is replaced, and one is forgotten", () => {
  const two = withSaved(withSaved(EMPTY, { name: "web", terms: { q: "a" } }), { name: "Db", terms: {} });
  expect(two.saved.map(({ name }) => name)).toEqual(["Db", "web"]);
  const again = withSaved(two, { name: "web", terms: { q: "b" } });
  expect(again.saved.at(-1)?.terms).toEqual({ q: "b" });
  expect(withoutSaved(again, "Db").saved.map(({ name }) => name)).toEqual(["web"]);
});

test("columns go by the window's width unless chosen; the first always stays", () => {
  const columns = [{ id: "name" }, { id: "os", from: "lg" }, { id: "ip" }];
  expect(chosenColumns(columns, EMPTY)).toEqual(columns);
  expect(chosenColumns(columns, { columns: { name: false, os: true, ip: false } })).toEqual([
    { id: "name" },
    { id: "os" },
  ]);
});
