import { expect, test } from "bun:test";
import { accessTable, rowsOf } from "../../../src/policy/code/access-rows.ts";
import { rulesOf } from "../../../src/policy/code/questions.ts";
import { anId } from "../../support/policy.ts";
import { WHOLE_FILE, withFile } from "../../support/policy-account.ts";

test("the table has a row for each person, machine and local user with access, and no other", () => {
  const account = withFile(WHOLE_FILE);
  const { users, peers, settings } = account;
  const input = {
    users,
    peers,
    machines: peers,
    settings,
    rules: rulesOf(account),
    nowSeconds: 1_795_000_000,
  };
  const rows = accessTable(input).map(({ userId, machineId, localUser }) => [userId, machineId, localUser]);
  expect(rows).toEqual(["web1", "web2"].map((name) => [anId("ada"), anId(name), "deploy"]));
});

test("rows are counted whole and told as far as asked", () => {
  const changes = [{ localUser: "*", gained: ["connect"], lost: [] }];
  const blocks = [{ users: ["a", "b"], machines: ["x", "y", "z"], changes }];
  expect(rowsOf(blocks, "gained", 4)).toMatchObject({ total: 6, rows: { length: 4 } });
  expect(rowsOf(blocks, "lost", 4)).toEqual({ total: 0, rows: [] });
});
