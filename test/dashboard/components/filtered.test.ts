import { expect, test } from "bun:test";
import { filtered } from "../../../src/dashboard/components/filtered.ts";

const ROWS = [
  { name: "web1", groups: "Servers" },
  { name: "db1", groups: "Servers" },
  { name: "laptop", groups: "All" },
];
const names = (typed: string): string[] =>
  filtered(ROWS, typed, ({ name, groups }) => [name, groups]).map(({ name }) => name);

test.each([
  ["", ["web1", "db1", "laptop"]],
  ["  ", ["web1", "db1", "laptop"]],
  ["WEB", ["web1"]],
  ["servers db", ["db1"]],
  ["nothing", []],
])("%j leaves %j", (typed, left) => expect(names(typed)).toEqual(left));

test.each([
  ["-db", ["web1", "laptop"]],
  ["servers -web", ["db1"]],
  ["-servers -all", []],
  ["-", []],
])("%j, with a word after a minus, leaves %j", (typed, left) => expect(names(typed)).toEqual(left));
