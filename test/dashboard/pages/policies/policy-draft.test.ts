import { expect, test } from "bun:test";
import {
  draftOf,
  type FilePolicy,
  fileWith,
  isEdited,
  newDraft,
  placeInFile,
  policyOf,
  withField,
} from "../../../../src/dashboard/pages/policies/policy-draft.ts";

const DEVS: FilePolicy = { name: "devs", rules: [{ sources: ["A"], destinations: ["B"] }] };
const OPS: FilePolicy = { name: "ops", rules: [{ sources: ["A"], destinations: ["C"] }] };
const FILE = { policies: [DEVS, OPS], tests: [] };

test("a draft of what is there is no edit, and gives it back", () => {
  expect(isEdited(draftOf(DEVS))).toBe(false);
  expect(policyOf(draftOf(DEVS))).toEqual(DEVS);
});

test("a policy is found in the file by its name, and by its id where two have one name", () => {
  expect(placeInFile(FILE, { id: "p2", name: "ops" })).toBe(1);
  const twins = {
    policies: [
      { ...DEVS, id: "id:p1" },
      { ...OPS, name: "devs", id: "id:p2" },
    ],
  };
  expect(placeInFile(twins, { id: "p2", name: "devs" })).toBe(1);
  expect(placeInFile(twins, { id: "p3", name: "devs" })).toBe(-1);
});

test("a renamed policy stays itself; the others and the tests stay as they are", () => {
  const file = fileWith(FILE, { place: 1, policy: { ...OPS, name: "operators" }, id: "p2" });
  expect(file).toEqual({ policies: [DEVS, { ...OPS, name: "operators", id: "id:p2" }], tests: [] });
  expect(fileWith(FILE, { place: 1, policy: OPS, id: "p2" })).toEqual(FILE);
});

test("a policy is added at the end, and taken out", () => {
  expect(fileWith({ policies: [DEVS] }, { place: -1, policy: OPS })).toEqual({ policies: [DEVS, OPS] });
  expect(fileWith(FILE, { place: 0, policy: null }).policies).toEqual([OPS]);
});

test("a new policy lets nobody in before somebody is named; a copy has a name of its own", () => {
  expect(policyOf(newDraft(null, new Set())).rules[0]?.authorized_groups).toEqual({ "": [] });
  const copy = newDraft({ ...DEVS, id: "id:p1" }, new Set(["devs", "devs copy"]));
  expect(policyOf(copy)).toEqual({ ...DEVS, name: "devs copy 2" });
});

test("a field without a value is gone, and others stay in their order", () => {
  expect(JSON.stringify(withField({ a: 1, b: 2 }, "a", 3))).toBe('{"a":3,"b":2}');
  expect(withField({ a: 1, b: 2 } as { a?: number; b: number }, "a", undefined)).toEqual({ b: 2 });
});
