import { expect, test } from "bun:test";
import { checkAuditShare } from "../../../src/management/serve-options.ts";
import { AUDIT_SHARE_BYTES_DEFAULT, AuditShare } from "../../../src/management/sync/audit-share.ts";
import { codeThrownBy } from "../../support/failure.ts";
import { FakeClock } from "../../support/fake-clock.ts";

const DAY_MS = 86_400_000;

test("a machine may use a day's share at once, the last batch of it whole, and then nothing", () => {
  const share = new AuditShare(new FakeClock(), 1_000);
  expect([600, 600, 1, 1].map((bytes) => share.take("p", bytes))).toEqual([
    "taken",
    "taken",
    "first",
    "used_up",
  ]);
});

test("it is known whose share is used up, without that it uses any", () => {
  const clock = new FakeClock();
  const share = new AuditShare(clock, 1_000);
  expect(share.isUsedUp("p")).toBe(false);
  share.take("p", 1_000);
  expect([share.isUsedUp("p"), share.isUsedUp("q")]).toEqual([true, false]);
  clock.advanceMs(DAY_MS / 1_000);
  expect(share.isUsedUp("p")).toBe(false);
});

test("what a batch took beyond the share is paid for before the next is taken", () => {
  const clock = new FakeClock();
  const share = new AuditShare(clock, 1_000);
  share.take("p", 3_000);
  clock.advanceMs(2 * DAY_MS);
  expect(share.take("p", 1)).toBe("first");
  clock.advanceMs(DAY_MS / 1_000);
  expect(share.take("p", 1)).toBe("taken");
});

test("what is given back may be taken again, and never makes more than a day's share", () => {
  const share = new AuditShare(new FakeClock(), 1_000);
  share.take("p", 1_500);
  share.giveBack("p", 1_500);
  share.giveBack("p", 5_000);
  expect([1_000, 1].map((bytes) => share.take("p", bytes))).toEqual(["taken", "first"]);
});

test("a shortage is news again only after the machine has had a whole share", () => {
  const clock = new FakeClock();
  const share = new AuditShare(clock, 1_000);
  share.take("p", 1_000);
  expect(share.take("p", 1)).toBe("first");
  clock.advanceMs(DAY_MS / 2);
  share.take("p", 1_000);
  expect(share.take("p", 1)).toBe("used_up");
  clock.advanceMs(2 * DAY_MS);
  share.take("p", 1_000);
  expect(share.take("p", 1)).toBe("first");
});

test("one machine's use is not another's, and 0 is no limit", () => {
  const share = new AuditShare(new FakeClock(), 1_000);
  share.take("p", 2_000);
  expect(share.take("q", 1)).toBe("taken");
  const open = new AuditShare(new FakeClock(), 0);
  expect([1e12, 1e12].map((bytes) => open.take("p", bytes))).toEqual(["taken", "taken"]);
});

test.each([
  [undefined, AUDIT_SHARE_BYTES_DEFAULT],
  ["0", 0],
  ["1", 1_000_000],
  ["1000000", 1e12],
])("--audit-share %p is %p bytes a day", (typed, bytes) => {
  expect(checkAuditShare(typed)).toBe(bytes);
});

test.each(["", "-1", "1.5", "1e3", "1000001", "1 ", "none"])("--audit-share %p is refused", (typed) => {
  expect(codeThrownBy(() => checkAuditShare(typed))).toBe("ERR_USAGE");
});
