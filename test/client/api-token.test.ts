/** A token for the REST API from a person's login, and what becomes of a kept login that is over. */
import { expect, test } from "bun:test";
import { ed25519FromSeed, generateEd25519, verifyEd25519 } from "../../src/base/ed25519.ts";
import { QfError } from "../../src/base/errors.ts";
import { obtainApiToken } from "../../src/client/api-token.ts";
import type { ClientSession, Login } from "../../src/client/client-session.ts";
import { proofHash } from "../../src/client/device.ts";
import type { ApiTokenRequest } from "../../src/wire/api-token.ts";
import { signedBytes } from "../../src/wire/signed-fields.ts";
import { FakeClock } from "../support/fake-clock.ts";

const scope = { accountId: "d0000000000000000000", origin: "https://qf.example.com" };
const deviceKey = ed25519FromSeed(Buffer.alloc(32, 7).toString("base64url"));

function aLogin(isNew: boolean): Login {
  return {
    scope,
    loginKey: generateEd25519(),
    proof: { kind: "claimed", loginId: "d1111111111111111111" },
    loginId: "d1111111111111111111",
    devicePeerId: "d2222222222222222222",
    user: { id: "d3333333333333333333", name: "Ada", email: "ada@example.com" },
    keptUntilSeconds: isNew ? null : 1_000,
    isNew,
    deviceName: null,
    deviceStatus: null,
  };
}

/** A session whose management gives `answers` in turn; `kept` is its login until a fresh one is wanted. */
function aSession(kept: Login, answers: readonly (string | QfError)[]) {
  const asked: ApiTokenRequest[] = [];
  const left = [...answers];
  let removed = 0;
  const session = {
    clock: new FakeClock(),
    deviceKey,
    login: async (options?: { fresh?: boolean }) => (options?.fresh === true ? aLogin(true) : kept),
    cache: { remove: async () => void removed++ },
    api: {
      origin: scope.origin,
      challenge: async () => ({ challenge: "once" }),
      apiToken: async (request: ApiTokenRequest) => {
        asked.push(request);
        const answer = left.shift();
        if (answer instanceof QfError) throw answer;
        return { token: answer ?? "", expiresAtSeconds: 1 };
      },
    },
  };
  return { session: session as unknown as ClientSession, asked, removed: () => removed };
}

const over = new QfError("ERR_LOGIN_REQUIRED", "this login is over");

test("obtainApiToken signs the request with the login key and the device key", async () => {
  const login = aLogin(false);
  const { session, asked } = aSession(login, ["qfp_token"]);
  expect(await obtainApiToken(session)).toBe("qfp_token");
  const [request] = asked;
  const bytes = signedBytes("api-token", scope, {
    challenge: "once",
    loginKey: login.loginKey.publicKey,
    devicePeerId: login.devicePeerId,
    proofHash: proofHash(login.proof),
    timeSeconds: request?.timeSeconds ?? 0,
  });
  expect(verifyEd25519(login.loginKey.publicKey, bytes, request?.loginSignature ?? "")).toBe(true);
  expect(verifyEd25519(deviceKey.publicKey, bytes, request?.deviceSignature ?? "")).toBe(true);
});

test("obtainApiToken replaces a kept login that is over, once", async () => {
  const { session, asked, removed } = aSession(aLogin(false), [over, "qfp_second"]);
  expect(await obtainApiToken(session)).toBe("qfp_second");
  expect({ asked: asked.length, removed: removed() }).toEqual({ asked: 2, removed: 1 });
});

test.each([
  ["a new login that is refused", aLogin(true), over],
  ["a refusal that a sign-in does not mend", aLogin(false), new QfError("ERR_ACCESS_DENIED", "no")],
])("obtainApiToken passes %s on", async (_name, login, refusal) => {
  const { session, asked } = aSession(login, [refusal, "qfp_never"]);
  await expect(obtainApiToken(session)).rejects.toBe(refusal);
  expect(asked).toHaveLength(1);
});
