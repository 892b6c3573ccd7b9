import { expect, test } from "bun:test";
import { createKexBudget, KexBudgets } from "../../src/sshcore/kex-budget.ts";

test("a source that stays within its share is never paused", () => {
  let now = 0;
  const budget = createKexBudget({ share: 0.5, burstMs: 100 }, () => now);
  for (let i = 0; i < 1_000; i++) {
    expect(budget.spend(1)).toBe(0);
    now += 2;
  }
});

test("what is taken beyond it is paid back in pauses", () => {
  let now = 0;
  const budget = createKexBudget({ share: 0.5, burstMs: 100 }, () => now);
  expect(budget.spend(100)).toBe(0);
  expect(budget.spend(10)).toBe(20);
  now += 20;
  expect(budget.spend(0)).toBe(0);
  expect(budget.spend(10)).toBe(20);
  // However much it is, a connection is not left alone for long.
  expect(budget.spend(1_000_000)).toBe(1_000);
});

test("connections of one source share a budget, those of two do not", () => {
  const budgets = new KexBudgets({ share: 0.5, burstMs: 100 }, () => 0);
  budgets.of("a").spend(200);
  expect(budgets.of("a").spend(0)).toBe(200);
  expect(budgets.of("b").spend(100)).toBe(0);
});

test("sources that owe something are remembered before those that are quiet", () => {
  const budgets = new KexBudgets({ share: 0.5, burstMs: 100 }, () => 0);
  budgets.of("debtor").spend(150);
  for (let i = 0; i < 5_000; i++) budgets.of(`other ${i}`);
  expect(budgets.of("debtor").spend(0)).toBe(100);
});
