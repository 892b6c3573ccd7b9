import { expect, test } from "bun:test";
import { QfError } from "../../src/base/errors.ts";
import {
  failureDetails,
  isRefusal,
  ProviderRefusal,
  providerRefused,
  signInRefused,
  tokenRefused,
} from "../../src/identity/provider-failure.ts";
import { tokenFault } from "../../src/identity/token-fault.ts";

const refusal = (
  error: string,
  description?: string,
  endpoint: "authorization" | "token" = "authorization",
) => providerRefused(new ProviderRefusal(endpoint, { error, description }));

test("only access_denied is somebody's no", () => {
  expect(isRefusal(refusal("access_denied"))).toBe(true);
  for (const error of ["interaction_required", "server_error", "invalid_client", "x"]) {
    expect(isRefusal(refusal(error))).toBe(false);
  }
  expect(isRefusal(new QfError("ERR_LOGIN_FAILED", "the sign-in was refused"))).toBe(false);
  expect(isRefusal(new Error("access_denied"))).toBe(false);
});

test("what the provider says is one bounded line, wherever it is shown", () => {
  const error = refusal("access_denied", `\u001b[31mnot assigned\r\n${"x".repeat(400)}`);
  expect(error.hint).not.toMatch(/[\u0000-\u001f]/);
  expect(error.hint?.length).toBeLessThan(400);
  expect(failureDetails(error).providerDescription?.length).toBeLessThanOrEqual(300);
  expect(failureDetails(refusal("e".repeat(99))).providerError).toHaveLength(64);
});

test("a bad secret is told from a bad code", () => {
  expect(refusal("invalid_client", undefined, "token").hint).toContain("--oidc-client-secret-file");
  expect(refusal("invalid_grant", undefined, "token").hint).toContain("redirect URIs");
});

test.each([
  ["expired", "ERR_LOGIN_REQUIRED"],
  ["too_old", "ERR_LOGIN_REQUIRED"],
  ["audience", "ERR_TOKEN_INVALID"],
  ["not_yet_valid", "ERR_TOKEN_INVALID"],
] as const)("a token with the fault %s is %s, and in a sign-in just made ERR_LOGIN_FAILED", (check, code) => {
  const fault = tokenFault(check, "this", "that");
  expect(tokenRefused(fault).code).toBe(code);
  expect(signInRefused(fault).code).toBe("ERR_LOGIN_FAILED");
  expect(failureDetails(tokenRefused(fault))).toEqual({ check, expected: "this", got: "that" });
});

test("other errors have no details", () => {
  expect(failureDetails(new QfError("ERR_UNAVAILABLE", "away"))).toEqual({});
  expect(failureDetails("text")).toEqual({});
});
