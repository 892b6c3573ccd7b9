import { expect, test } from "bun:test";
import { distinctNames } from "../../../src/dashboard/components/distinct-names.ts";

test("a name that two things have is told apart by their marks, and by ids where these are the same", () => {
  const names = distinctNames([
    { id: "1", name: "web", mark: "web.qf" },
    { id: "2", name: "db", mark: "db.qf" },
    { id: "3", name: "db", mark: "db-1.qf" },
    { id: "4", name: "db", mark: "db.qf" },
  ]);
  expect([...names.values()]).toEqual(["web", "db (db.qf)", "db (db-1.qf)", "db (4)"]);
});
