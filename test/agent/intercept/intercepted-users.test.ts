import { expect, test } from "bun:test";
import { findInterceptedUsers } from "../../../src/agent/intercept/intercepted-users.ts";
import type { LocalAccount } from "../../../src/agent/os/users.ts";

const UIDS: Readonly<Record<string, number>> = { ada: 1_000, bob: 1_001, eve: 1_002 };
const look = {
  account: async (name: string) =>
    UIDS[name] === undefined ? null : ({ name, uid: UIDS[name] } as LocalAccount),
  members: (name: string) => (name === "staff" ? ["ada", "bob", "left"] : null),
};

test.each<[entries: string[], uids: number[], unknown: string[]]>([
  [["ada"], [1_000], []],
  [["@staff"], [1_000, 1_001], []],
  [["eve", "@staff", "ada"], [1_002, 1_000, 1_001], []],
  [["ada", "gone"], [1_000], ["gone"]],
  [["@nobody", "eve"], [1_002], ["@nobody"]],
  [["staff"], [], ["staff"]],
  [[], [], []],
])("%j are the users with uids %j; %j is nobody", async (entries, uids, unknown) => {
  const found = await findInterceptedUsers(entries, 0, look);
  expect([...found.byUid.keys()]).toEqual(uids);
  expect(found.unknown).toEqual(unknown);
});

test("a group of any size takes no more than there is room for", async () => {
  const many = Array.from({ length: 5_000 }, (_, i) => `u${i}`);
  const found = await findInterceptedUsers(["@all"], 0, {
    account: async (name) => ({ name, uid: Number(name.slice(1)) }) as LocalAccount,
    members: () => many,
  });
  expect(found.byUid.size).toBe(1_024);
});
