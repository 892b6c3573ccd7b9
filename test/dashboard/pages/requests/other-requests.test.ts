import { expect, test } from "bun:test";
import { similarBefore, waitingBeside } from "../../../../src/dashboard/pages/requests/other-requests.ts";
import type { Request } from "../../../../src/dashboard/pages/requests/request-words.ts";

const aRequest = (id: string, change: Partial<Request> = {}): Request =>
  ({
    ...{ id, user: { id: "ada", name: "ada", email: "" }, group: null, local_user: "deploy" },
    ...{ machine: { id: "web1", name: "web1" }, may_decide: false, created_at: `2026-11-0${id}T00:00:00Z` },
    ...change,
  }) as Request;
const ids = (requests: readonly Request[]) => requests.map(({ id }) => id);
const REQUEST = aRequest("5");

test("earlier requests of the same person for the same thing are similar, newest first", () => {
  const all = [
    ...[aRequest("1"), aRequest("2"), REQUEST, aRequest("6")],
    aRequest("3", { local_user: "root" }),
    aRequest("4", { user: { ...REQUEST.user, id: "bob" } }),
    aRequest("3", { machine: { id: "db1", name: "db1" } }),
  ];
  expect(ids(similarBefore(REQUEST, all))).toEqual(["2", "1"]);
});

test("a group is another thing than a machine, and no more than five are listed", () => {
  const group = { machine: null, local_user: null, group: { id: "oncall", name: "On call" } };
  expect(similarBefore(aRequest("5", group), [REQUEST, aRequest("1")])).toEqual([]);
  const many = Array.from({ length: 9 }, (_, i) => aRequest(String(i), { created_at: `2026-10-0${i + 1}` }));
  expect(ids(similarBefore(aRequest("x", { created_at: "2026-11" }), many))).toEqual([
    "8",
    "7",
    "6",
    "5",
    "4",
  ]);
});

test("the next to decide is the one that waited longest, and never the same again", () => {
  const all = [
    aRequest("7", { may_decide: true }),
    aRequest("2", { may_decide: true }),
    aRequest("1"),
    REQUEST,
  ];
  expect(ids(waitingBeside(aRequest("7", { may_decide: true }), all))).toEqual(["2"]);
  expect(ids(waitingBeside(REQUEST, all))).toEqual(["2", "7"]);
});
