/** The page that confirms one request. */
import { expect, test } from "bun:test";
import { confirmPage, isConfirmProof } from "../../../../src/management/http/dashboard/confirm-page.ts";

const page = confirmPage("secret", "digest", [["name", "<script>alert(1)</script>"]]);
const proof = /name="proof" value="([\w-]+)"/.exec(page)?.[1] ?? "";

test("it has no script, whatever a request holds", () => {
  expect(page).not.toContain("<script");
});

test.each([
  ["of that session and request", "secret", "digest", true],
  ["of another session", "other", "digest", false],
  ["of another request", "secret", "other", false],
])("its form is that %s", (_what, secret, digest, isIt) => {
  expect(isConfirmProof(secret, digest, proof)).toBe(isIt);
});
