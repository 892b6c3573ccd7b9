import { expect, test } from "bun:test";
import { LostTailCheck } from "../../src/log/lost-tail-check.ts";
import { anEntry } from "../support/log-bundle.ts";

const lost = (seq: number) =>
  anEntry(seq, { activity_code: "log.lost", data: { from: 5, to: 9, note: "x" } });
const acknowledged = (seq: number) => anEntry(seq, { activity_code: "log.lost.acknowledge" });
const found = (...entries: ReturnType<typeof anEntry>[]) => {
  const check = new LostTailCheck();
  for (const entry of entries) check.take(entry);
  return check.end().map(({ code, seq }) => `${code} ${seq}`);
};

test("what a log has lost is a finding until it is acknowledged, and again after the next loss", () => {
  expect(found(anEntry(1))).toEqual([]);
  expect(found(lost(1))).toEqual(["tail_lost 1"]);
  expect(found(lost(1), acknowledged(2))).toEqual([]);
  expect(found(lost(1), acknowledged(2), lost(3))).toEqual(["tail_lost 3"]);
  expect(found(acknowledged(1), lost(2))).toEqual(["tail_lost 2"]);
});
