import { beforeEach, expect, test } from "bun:test";
import { lookUpInThisTurn } from "../../../src/agent/ssh-server/current-account.ts";

let looked: string[] = [];
let answer = Promise.withResolvers<null>();
const look = (name: string): Promise<null> => {
  looked.push(name);
  return answer.promise;
};
beforeEach(() => {
  looked = [];
  answer = Promise.withResolvers<null>();
});

test("acts of one turn of the event loop share one look-up of an account", async () => {
  const all = ["ada", "ada", "grace", "ada"].map((name) => lookUpInThisTurn(name, 0, look));
  answer.resolve(null);
  await Promise.all(all);
  expect(looked).toEqual(["ada", "grace"]);
});

test("a later act looks anew, also while an earlier look-up is under way", async () => {
  const first = lookUpInThisTurn("ada", 0, look);
  await Promise.resolve();
  const second = lookUpInThisTurn("ada", 0, look);
  answer.resolve(null);
  await Promise.all([first, second]);
  expect(looked).toEqual(["ada", "ada"]);
});
