import { expect, test } from "bun:test";
import { SshFailure } from "../../../src/browser-ssh/failure.ts";
import { ApiError } from "../../../src/dashboard/api/client.ts";
import { DeniedError } from "../../../src/dashboard/terminal/machine-way.ts";
import { endingOf, isWorthAnotherTry } from "../../../src/dashboard/terminal/terminal-session.ts";

test("an end says why, and what can be done", () => {
  const denied = { outcome: "denied", sentence: "no", receipt: "r1", hint: "ask" } as const;
  expect(endingOf(new DeniedError({ ...denied, reason: "reason_required" }))).toEqual({
    ...{ message: "No.", hint: "Ask.", receipt: "r1", wantsReason: true, isLost: false },
  });
  expect(endingOf(new DeniedError({ ...denied, reason: "device_blocked" })).wantsReason).toBe(false);
  const about = { status: 400, code: "ERR_BAD_REQUEST", hint: "Do.", requestId: null };
  expect(endingOf(new ApiError("Bad.", about))).toMatchObject({ message: "Bad.", hint: "Do." });
  expect(endingOf(new SshFailure("lost", "the way is gone"))).toMatchObject({
    ...{ message: "The way is gone", isLost: true },
  });
  expect(endingOf(null).hint).toBeNull();
  expect(endingOf("something")).toMatchObject({ receipt: null, wantsReason: false });
});

test("a login is kept for what may turn while the page waits, and for nothing else", () => {
  const denied = { outcome: "denied", sentence: "no", receipt: "r1" } as const;
  const kept = (reason: "approval_required" | "reason_required" | "device_pending" | "user_blocked") =>
    isWorthAnotherTry(new DeniedError({ ...denied, reason }));
  expect([kept("approval_required"), kept("reason_required"), kept("device_pending")]).toEqual([
    true,
    true,
    true,
  ]);
  expect(kept("user_blocked")).toBe(false);
  expect(isWorthAnotherTry(new SshFailure("lost", "gone"))).toBe(true);
  expect(isWorthAnotherTry(new SshFailure("ended", "access was taken away"))).toBe(false);
  expect(isWorthAnotherTry(new Error("something"))).toBe(false);
});
