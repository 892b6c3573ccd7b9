import { expect, test } from "bun:test";
import { returnPath } from "../../../../src/management/http/dashboard/return-path.ts";

test.each(["/", "/machines", "/machines/abc?q=1#facts", "/sessions/x?t=12", "/terminal/web1?as=deploy"])(
  "a sign-in comes back to %s",
  (path) => expect(returnPath(path)).toBe(path),
);

test.each([
  undefined,
  "",
  "machines",
  "//evil.example",
  "/\\evil.example",
  "/\t/evil.example",
  "https://evil.example/",
  "javascript:alert(1)",
  "/%0d%0aSet-Cookie:a=b\r\n",
  "/machines\nx",
  "/api/users",
  "/idp/auth",
  "/login/hosted/abc",
  "/setup/abc",
  "/./api/users",
  "/machines/../login/dashboard",
  `/${"a".repeat(2_000)}`,
])("a sign-in does not lead to %j", (path) => expect(returnPath(path)).toBe("/"));
