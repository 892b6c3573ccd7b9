import { expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { isQfError, QfError } from "../../../src/base/errors.ts";
import { silentLog } from "../../../src/base/log.ts";
import { verifyIdToken } from "../../../src/identity/verify.ts";
import { type AccessToken, moreClaims } from "../../../src/management/login/more-claims.ts";
import { aManagement } from "../../support/management.ts";
import { anIdTokenQuestion, aToken, type Claims } from "../../support/tokens.ts";

const ACCESS = "an access token";
const digest = createHash("sha512").update(ACCESS).digest();
const AT_HASH = digest.subarray(0, 32).toString("base64url");
const INFO = { sub: "anna-1", name: "Anna", email: "anna@example.com", groups: ["devs"] };

interface Ask {
  readonly claims: Claims;
  readonly accessToken?: AccessToken | undefined;
  readonly groupsClaim?: string | null;
  readonly userInfo?: () => Promise<Claims | null>;
}

/** What is added, and how often UserInfo was asked. */
async function ask({ claims, accessToken, groupsClaim = null, userInfo = async () => INFO }: Ask) {
  const idToken = aToken({ claims });
  const verified = await verifyIdToken(anIdTokenQuestion(idToken));
  if (!verified.ok) throw new Error("not a good token");
  let asked = 0;
  const { oidc } = aManagement();
  const deps = {
    ctx: { oidc: { ...oidc, groupsClaim }, log: silentLog },
    userInfo: (token: string, subject: string) => {
      expect([token, subject]).toEqual([ACCESS, "anna-1"]);
      asked += 1;
      return userInfo();
    },
  };
  const more = await moreClaims(deps, verified, { idToken, accessToken }).catch((error: unknown) =>
    isQfError(error) ? error.code : "another error",
  );
  return { more, asked };
}

const ours: AccessToken = { value: ACCESS, from: "provider" };
const theirs: AccessToken = { value: ACCESS, from: "client" };
const bare = { name: undefined, email: undefined };

test("UserInfo is asked only where something is missing and there is something to ask with", async () => {
  expect(await ask({ claims: {}, accessToken: ours })).toEqual({ more: {}, asked: 0 });
  expect(await ask({ claims: bare })).toEqual({ more: {}, asked: 0 });
  expect(await ask({ claims: bare, accessToken: ours })).toEqual({ more: INFO, asked: 1 });
  expect(await ask({ claims: {}, accessToken: ours, groupsClaim: "groups" })).toEqual({
    more: INFO,
    asked: 1,
  });
  expect(await ask({ claims: { groups: [] }, accessToken: ours, groupsClaim: "groups" })).toEqual({
    more: {},
    asked: 0,
  });
  expect(await ask({ claims: bare, accessToken: ours, userInfo: async () => null })).toEqual({
    more: {},
    asked: 1,
  });
});

test("groups by a client's access token count where the ID token names that token", async () => {
  const named = await ask({ claims: { at_hash: AT_HASH }, accessToken: theirs, groupsClaim: "groups" });
  expect(named.more).toEqual(INFO);
  const unnamed = await ask({ claims: {}, accessToken: theirs, groupsClaim: "groups" });
  expect(unnamed.more).toEqual({ sub: "anna-1", name: "Anna", email: "anna@example.com" });
  const other = await ask({ claims: { at_hash: "x" }, accessToken: theirs, groupsClaim: "groups.names" });
  expect(other.more).not.toHaveProperty("groups");
});

test("a UserInfo that fails costs a name, and a sign-in where groups are missing", async () => {
  const userInfo = () => Promise.reject(new QfError("ERR_UNAVAILABLE", "away"));
  expect((await ask({ claims: bare, accessToken: ours, userInfo })).more).toEqual({});
  expect((await ask({ claims: {}, accessToken: ours, groupsClaim: "groups", userInfo })).more).toBe(
    "ERR_UNAVAILABLE",
  );
});
