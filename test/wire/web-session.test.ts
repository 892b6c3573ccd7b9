import { expect, test } from "bun:test";
import { WEB_SESSION_COOKIE, WebSession } from "../../src/wire/web-session.ts";

test("the cookie is bound to its host by its name", () => {
  expect(WEB_SESSION_COOKIE).toStartWith("__Host-");
});

test("a session as the API tells of it holds nothing to sign in with", () => {
  expect(Object.keys(WebSession.shape)).not.toContain("hash");
});
