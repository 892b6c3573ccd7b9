import { expect, test } from "bun:test";
import {
  inFront,
  NO_SHELLS,
  type ShellTabs,
  withBell,
  withoutShell,
  withShell,
  withTitle,
} from "../../../src/dashboard/terminal/shell-tabs.ts";

const three = [1, 2, 3].reduce((tabs) => withShell(tabs), NO_SHELLS);
const ids = ({ list, current }: ShellTabs) => [list.map(({ id }) => id), current];

test("a new shell comes last and in front, under a number that no other had", () => {
  expect(ids(three)).toEqual([[0, 1, 2], 2]);
  expect(ids(withShell(withoutShell(three, 2)))).toEqual([[0, 1, 3], 3]);
});

test.each<[what: string, front: number, gone: number, left: number[], current: number]>([
  ["the one in front gives way to the next", 0, 0, [1, 2], 1],
  ["the last one in front gives way to the one before", 2, 2, [0, 1], 1],
  ["one behind leaves the front as it is", 0, 2, [0, 1], 0],
  ["one that is not there changes nothing", 1, 7, [0, 1, 2], 1],
])("a shell that goes: %s", (_what, front, gone, left, current) => {
  expect(ids(withoutShell(inFront(three, front), gone))).toEqual([left, current]);
});

test("shells that go at once all go, but for the last, which stays to be read", () => {
  const left = [0, 2, 1].reduce(withoutShell, three);
  expect(ids(left)).toEqual([[1], 1]);
});

test("a bell marks a shell behind until it comes in front, and never the one in front", () => {
  const rung = withBell(withBell(three, 0), 2);
  expect(rung.list.map(({ hasRung }) => hasRung)).toEqual([true, false, false]);
  expect(inFront(rung, 0).list.map(({ hasRung }) => hasRung)).toEqual([false, false, false]);
  // The shell that comes in front because another went is looked at too.
  expect(withoutShell(withoutShell(rung, 1), 2).list.map(({ hasRung }) => hasRung)).toEqual([false]);
});

test("a bell or a title that changes nothing gives the very same tabs", () => {
  const named = withTitle(withBell(three, 1), 1, "vim");
  expect([withBell(named, 1), withTitle(named, 1, "vim"), withTitle(named, 9, "x")]).toEqual([
    ...[named, named, named],
  ]);
  expect(withBell(named, 1)).toBe(named);
  expect(withTitle(named, 1, "vim")).toBe(named);
});
