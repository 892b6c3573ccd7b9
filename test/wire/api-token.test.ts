/** The request for an API token: strict, so that nothing unsigned rides along. */
import { expect, test } from "bun:test";
import { ApiTokenRequest } from "../../src/wire/api-token.ts";

const key = Buffer.alloc(32, 1).toString("base64url");
const signature = Buffer.alloc(64, 2).toString("base64url");
const request = {
  challenge: "once",
  timeSeconds: 1_700_000_000,
  loginKey: key,
  devicePeerId: "d2222222222222222222",
  proof: { kind: "claimed", loginId: "d1111111111111111111" },
  loginSignature: signature,
  deviceSignature: signature,
};

test("a whole request parses", () => {
  expect(ApiTokenRequest.safeParse(request).success).toBe(true);
});

test.each([
  ["a field more", { ...request, role: "owner" }],
  ["no device signature", { ...request, deviceSignature: undefined }],
  ["a key of another length", { ...request, loginKey: "AAAA" }],
  ["a long challenge", { ...request, challenge: "x".repeat(65) }],
])("a request with %s does not", (_name, value) => {
  expect(ApiTokenRequest.safeParse(value).success).toBe(false);
});
