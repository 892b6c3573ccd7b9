/**
 * What signing in needs, on a store of the test's own and a clock that stands still: tokens are of the
 * provider in `tokens.ts`, and nothing listens anywhere.
 */
import { nowSeconds } from "../../src/base/clock.ts";
import { type Ed25519Key, generateEd25519, signEd25519, sshBlobOfEd25519 } from "../../src/base/ed25519.ts";
import { newId, sha256 } from "../../src/base/random.ts";
import { nonceOf, verifyIdToken } from "../../src/identity/verify.ts";
import { seal, unseal } from "../../src/management/ca/seal.ts";
import type { AccountRow } from "../../src/management/db/tables/accounts.ts";
import { insertLogin, type LoginRow } from "../../src/management/db/tables/logins.ts";
import type { UserRow } from "../../src/management/db/tables/users.ts";
import { createChallenges } from "../../src/management/login/challenges.ts";
import { currentAccount, type LoginDeps } from "../../src/management/login/deps.ts";
import type { ReadProof } from "../../src/management/login/prove.ts";
import { createRefusals } from "../../src/management/login/refusals.ts";
import { proofHashOf } from "../../src/management/login/signatures.ts";
import type { LoginProof, RegisterRequest } from "../../src/wire/client-api.ts";
import type { EnrolRequest } from "../../src/wire/enrolment.ts";
import { signedBytes } from "../../src/wire/signed-fields.ts";
import { aManagement, anAccount, aUserOf, fakeKeys, type TestManagement } from "./management.ts";
import { aToken, aTrustedIssuer, type Claims, ISSUER, NOW } from "./tokens.ts";

const MASTER_KEY = new Uint8Array(32).fill(7);

export interface LoginLab {
  readonly ctx: TestManagement;
  readonly deps: LoginDeps;
  readonly account: AccountRow;
  /** Known to the provider as `anna-1`. */
  readonly anna: UserRow;
}

/** An account in which Anna has signed in before, at the moment of `NOW`. Closed after the test. */
export async function openLoginLab(change: Partial<LoginDeps> = {}): Promise<LoginLab> {
  const ctx = aManagement({ keys: { ...fakeKeys, issuers: async () => [aTrustedIssuer()] } });
  ctx.clock.jumpWallMs(NOW * 1000 - ctx.clock.nowMs());
  await anAccount(ctx.store);
  const account = await currentAccount(ctx);
  const anna = await aUserOf(ctx.store, account.id, { issuer: ISSUER, subject: "anna-1" });
  const deps: LoginDeps = {
    ctx,
    challenges: createChallenges({ ...ctx, masterKey: MASTER_KEY }),
    refusals: createRefusals(ctx),
    sealer: {
      seal: (secret, owner) => seal(MASTER_KEY, secret, owner),
      unseal: (sealed, owner) => unseal(MASTER_KEY, sealed, owner).toString("utf8"),
    },
    isConnected: () => false,
    waitForMap: async () => {},
    refreshIssuerKeys: async () => false,
    issuerKeysFailure: () => null,
    userInfo: async () => null,
    ...change,
  };
  return { ctx, deps, account, anna };
}

/** A login of Anna's as a token of ten seconds ago has made it. */
export async function aLoginOf(
  { ctx, account, anna }: LoginLab,
  key: Ed25519Key,
  change: Partial<LoginRow> = {},
): Promise<LoginRow> {
  const login: LoginRow = {
    id: newId(),
    accountId: account.id,
    loginKey: key.publicKey,
    userId: anna.id,
    devicePeerId: null,
    binding: "idp",
    claimedTokenHash: null,
    authTime: NOW - 20,
    issuedAt: NOW - 10,
    createdAt: NOW - 5,
    until: NOW + 3_600,
    revokedAt: null,
    apiTokenId: null,
    ...change,
  };
  await ctx.store.transaction((tx) => insertLogin(tx, login));
  return login;
}

/** A token for `key`, verified: what `readProof` makes of it. Without a nonce it names no key. */
export async function aProofOf(
  key: Ed25519Key,
  claims: Claims = {},
): Promise<Extract<ReadProof, { kind: "id_token" }>> {
  const loginKeyBlob = sshBlobOfEd25519(key.publicKey);
  const idToken = aToken({ claims: { nonce: nonceOf(loginKeyBlob), ...claims } });
  const verified = await verifyIdToken({
    token: idToken,
    issuers: [aTrustedIssuer()],
    nowSeconds: NOW,
    loginSecondsMax: 43_200,
    loginKeyBlob,
    mode: "claiming",
  });
  if (!verified.ok) throw new Error(verified.reason);
  return { kind: "id_token", idToken, verified, more: {}, hostedId: undefined };
}

export const newKey = generateEd25519;

/** A fresh challenge of the lab's, with the time. */
export function freshRequest({ deps, ctx }: LoginLab) {
  return { challenge: deps.challenges.issue().challenge, timeSeconds: nowSeconds(ctx.clock) };
}

export interface Registering {
  readonly loginKey: Ed25519Key;
  readonly deviceKey: Ed25519Key;
  readonly proof: LoginProof;
}

/** A registration with everything in order, but for `bent`, which is not signed. */
export function aRegistration(
  lab: LoginLab,
  { loginKey, deviceKey, proof }: Registering,
  bent: Partial<RegisterRequest> = {},
): RegisterRequest {
  const fresh = freshRequest(lab);
  const { account, ctx } = lab;
  const bytes = signedBytes(
    "register",
    { accountId: account.id, origin: ctx.origin },
    {
      challenge: fresh.challenge,
      loginKey: loginKey.publicKey,
      deviceKey: deviceKey.publicKey,
      proofHash: proofHashOf(proof),
      timeSeconds: fresh.timeSeconds,
    },
  );
  return {
    ...fresh,
    loginKey: loginKey.publicKey,
    deviceKey: deviceKey.publicKey,
    proof,
    facts: { hostname: "laptop", os: "linux", kernelVersion: "6.1", version: "0.1.0" },
    loginSignature: signEd25519(loginKey, bytes),
    deviceSignature: signEd25519(deviceKey, bytes),
    ...bent,
  };
}

/** An enrolment with everything in order, but for `bent`, which is not signed. */
export function anEnrolment(
  lab: LoginLab,
  deviceKey: Ed25519Key,
  credential:
    | { readonly setupKey: string }
    | { readonly loginKey: Ed25519Key; readonly proof: LoginProof }
    | null,
  bent: Partial<EnrolRequest> = {},
): EnrolRequest {
  const fresh = freshRequest(lab);
  const { account, ctx } = lab;
  const hostKeys = [sshBlobOfEd25519(deviceKey.publicKey).toString("base64")];
  const isLogin = credential !== null && "proof" in credential;
  const hash = isLogin ? proofHashOf(credential.proof) : sha256(credential?.setupKey ?? "");
  const bytes = signedBytes(
    "enrol",
    { accountId: account.id, origin: ctx.origin },
    {
      challenge: fresh.challenge,
      deviceKey: deviceKey.publicKey,
      hostKeys: hostKeys.join(" "),
      name: "web1",
      credentialHash: hash,
      timeSeconds: fresh.timeSeconds,
    },
  );
  const signed: EnrolRequest["credential"] =
    credential === null
      ? { kind: "device_key" }
      : isLogin
        ? {
            kind: "login",
            loginKey: credential.loginKey.publicKey,
            proof: credential.proof,
            loginSignature: signEd25519(credential.loginKey, bytes),
          }
        : { kind: "setup_key", setupKey: credential.setupKey };
  return {
    ...fresh,
    deviceKey: deviceKey.publicKey,
    hostKeys,
    credential: signed,
    name: "web1",
    facts: { hostname: "web1", os: "linux", kernelVersion: "6.1", version: "0.1.0" },
    deviceSignature: signEd25519(deviceKey, bytes),
    ...bent,
  };
}
