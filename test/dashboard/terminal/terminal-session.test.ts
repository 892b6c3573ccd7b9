import { expect, test } from "bun:test";
import { SshFailure } from "../../../src/browser-ssh/failure.ts";
import { ApiError } from "../../../src/dashboard/api/client.ts";
import { DeniedError } from "../../../src/dashboard/terminal/machine-way.ts";
import { endingOf } from "../../../src/dashboard/terminal/terminal-session.ts";

test("an end says why, and what can be done", () => {
  const denied = { outcome: "denied", sentence: "no", receipt: "r1", hint: "ask" } as const;
  expect(endingOf(new DeniedError({ ...denied, reason: "reason_required" }))).toEqual({
    ...{ message: "No.", hint: "Ask.", receipt: "r1", wantsReason: true },
  });
  expect(endingOf(new DeniedError({ ...denied, reason: "device_blocked" })).wantsReason).toBe(false);
  const about = { status: 400, code: "ERR_BAD_REQUEST", hint: "Do.", requestId: null };
  expect(endingOf(new ApiError("Bad.", about))).toMatchObject({ message: "Bad.", hint: "Do." });
  expect(endingOf(new SshFailure("lost", "the way is gone"))).toMatchObject({ message: "The way is gone" });
  expect(endingOf(null).hint).toBeNull();
  expect(endingOf("something")).toMatchObject({ receipt: null, wantsReason: false });
});
