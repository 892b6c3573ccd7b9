/** What a login is worth, and what it was made from: each row is one step from a login that counts. */
import { beforeEach, describe, expect, test } from "bun:test";
import { isQfError } from "../../../src/base/errors.ts";
import { newSecret } from "../../../src/base/random.ts";
import { insertHostedLogin, type LoginRow, revokeLogin } from "../../../src/management/db/tables/logins.ts";
import { insertIdpAccount, updateIdpAccount } from "../../../src/management/db/tables/sign-in.ts";
import {
  deleteUser,
  EMBEDDED_ISSUER,
  findUser,
  updateUser,
} from "../../../src/management/db/tables/users.ts";
import { passwordStamp } from "../../../src/management/idp/passwords.ts";
import {
  enterLogin,
  findLiveLogin,
  personOf,
  type ReadProof,
  readProof,
  tokenHash,
} from "../../../src/management/login/prove.ts";
import { aLoginOf, aProofOf, type LoginLab, newKey, openLoginLab } from "../../support/login-deps.ts";
import { aTokenOf, aUserOf } from "../../support/management.ts";
import { aToken, NOW } from "../../support/tokens.ts";

const key = newKey();
let lab: LoginLab;
beforeEach(async () => {
  lab = await openLoginLab();
});

const codeOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => "counts",
    (error: unknown) => (isQfError(error) ? error.code : String(error)),
  );

function live(proof: ReadProof, loginKey = key.publicKey): Promise<string> {
  const { ctx, deps, account } = lab;
  return codeOf(ctx.store.read((tx) => findLiveLogin(tx, deps, { account, proof, loginKey })));
}

async function enter(proof: ReadProof, loginKey = key.publicKey, userId = lab.anna.id): Promise<LoginRow> {
  const { ctx, deps, account } = lab;
  const initiator = { id: "test", name: "", email: "" };
  const { login } = await ctx.store.change({ accountId: account.id, initiator }, async (tx) =>
    enterLogin(tx, deps, {
      account,
      proof,
      loginKey,
      user: proof.kind === "id_token" ? ((await findUser(tx, account.id, userId)) ?? null) : null,
    }),
  );
  return login;
}

const setAnna = (change: Parameters<typeof updateUser>[3]) =>
  lab.ctx.store.transaction((tx) => updateUser(tx, lab.account.id, lab.anna.id, change));

describe("a login counts", () => {
  test("by the token it was made from, with its own key", async () => {
    await aLoginOf(lab, key);
    expect(await live(await aProofOf(key))).toBe("counts");
  });

  test("until its end, and not in that second", async () => {
    await aLoginOf(lab, key, { until: NOW + 1 });
    const proof = await aProofOf(key);
    expect(await live(proof)).toBe("counts");
    lab.ctx.clock.advanceMs(1_000);
    expect(await live(proof)).toBe("ERR_LOGIN_REQUIRED");
  });

  test("not with another login key", async () => {
    const other = newKey();
    await aLoginOf(lab, other, { binding: "ca", claimedTokenHash: "x" });
    const { id } = await aLoginOf(lab, key, { binding: "ca", claimedTokenHash: "y" });
    expect(await live({ kind: "claimed", loginId: id }, other.publicKey)).toBe("ERR_LOGIN_REQUIRED");
    expect(await live({ kind: "claimed", loginId: id })).toBe("counts");
  });

  test("not in another account", async () => {
    await aLoginOf(lab, key);
    const proof = await aProofOf(key);
    const { ctx, deps, account } = lab;
    const elsewhere = { ...account, id: "account0000000000001" };
    const loginKey = key.publicKey;
    const asked = ctx.store.read((tx) => findLiveLogin(tx, deps, { account: elsewhere, proof, loginKey }));
    expect(await codeOf(asked)).toBe("ERR_LOGIN_REQUIRED");
  });

  test("not once it was ended", async () => {
    const login = await aLoginOf(lab, key);
    await lab.ctx.store.transaction((tx) => revokeLogin(tx, login.id));
    expect(await live(await aProofOf(key))).toBe("ERR_LOGIN_REQUIRED");
  });

  test.each([{ isBlocked: true }, { pendingApproval: true }])("not for a person with %p", async (change) => {
    await aLoginOf(lab, key);
    await setAnna(change);
    expect(await live(await aProofOf(key))).toBe("ERR_ACCESS_DENIED");
  });

  test("not for a person who was deleted: it has gone with them", async () => {
    const login = await aLoginOf(lab, key, { binding: "ca", claimedTokenHash: "x" });
    await lab.ctx.store.transaction((tx) => deleteUser(tx, lab.account.id, lab.anna.id));
    expect(await live(await aProofOf(key))).toBe("ERR_LOGIN_REQUIRED");
    expect(await live({ kind: "claimed", loginId: login.id })).toBe("ERR_LOGIN_REQUIRED");
  });
});

describe("a login stays what it was made from", () => {
  test.each<[string, Parameters<typeof aProofOf>[1]]>([
    ["another age", { iat: NOW - 11 }],
    ["another person", { sub: "bert-2" }],
    ["no nonce", { nonce: undefined }],
  ])("and does not count by a token of %s", async (_name, claims) => {
    await aLoginOf(lab, key);
    expect(await live(await aProofOf(key, claims))).toBe("ERR_TOKEN_INVALID");
  });

  test("and does not count by a token of another issuer with the same subject", async () => {
    await aLoginOf(lab, key);
    const proof = await aProofOf(key);
    const verified = { ...proof.verified, issuer: "https://b.example.com" };
    expect(await live({ ...proof, verified })).toBe("ERR_TOKEN_INVALID");
  });

  test("and one of the provider does not count by its id", async () => {
    const { id } = await aLoginOf(lab, key);
    expect(await live({ kind: "claimed", loginId: id })).toBe("ERR_TOKEN_INVALID");
  });

  test("and one of a token without a nonce counts by that token only, in any spelling", async () => {
    const proof = await aProofOf(key, { nonce: undefined });
    await aLoginOf(lab, key, { binding: "ca", claimedTokenHash: tokenHash(proof.idToken) });
    expect(await live(proof)).toBe("counts");
    expect(await live({ ...proof, idToken: proof.idToken.replace(/.$/, "A") })).toBe("counts");
    const other = await aProofOf(key, { nonce: undefined, name: "Anna again" });
    expect(await live(other)).toBe("ERR_TOKEN_INVALID");
  });

  test("and one with a nonce does not count by a token without, of the same age and person", async () => {
    await aLoginOf(lab, key, { binding: "idp" });
    expect(await live(await aProofOf(key, { nonce: undefined }))).toBe("ERR_TOKEN_INVALID");
  });

  test("and a person's does not count by a service user's token, nor the other way", async () => {
    const { ctx, account } = lab;
    const service = await aUserOf(ctx.store, account.id, { isServiceUser: true });
    const token = await aTokenOf(ctx.store, service, { scope: "ssh" });
    await aLoginOf(lab, key);
    expect(await live({ kind: "service_token", token })).toBe("ERR_TOKEN_INVALID");
    const other = newKey();
    await aLoginOf(lab, other, { binding: "service", userId: service.id });
    expect(await live({ kind: "service_token", token }, other.publicKey)).toBe("counts");
    expect(await live(await aProofOf(other), other.publicKey)).toBe("ERR_TOKEN_INVALID");
  });

  test("and a service user's does not count by the token of another", async () => {
    const { ctx, account } = lab;
    const [one, two] = [
      await aUserOf(ctx.store, account.id, { isServiceUser: true }),
      await aUserOf(ctx.store, account.id, { isServiceUser: true }),
    ];
    await aLoginOf(lab, key, { binding: "service", userId: one.id });
    const token = await aTokenOf(ctx.store, two, { scope: "ssh" });
    expect(await live({ kind: "service_token", token })).toBe("ERR_TOKEN_INVALID");
  });
});

describe("a service user's token makes a login", () => {
  const tokenOf = async (user: Parameters<typeof aUserOf>[2], token: Parameters<typeof aTokenOf>[2] = {}) => {
    const service = await aUserOf(lab.ctx.store, lab.account.id, { isServiceUser: true, ...user });
    return {
      kind: "service_token",
      token: await aTokenOf(lab.ctx.store, service, { scope: "ssh", ...token }),
    } as const;
  };

  test("that ends with the token, where that is before the cap", async () => {
    const short = await enter(await tokenOf({}, { expiresAt: NOW + 60 }));
    expect(short.until).toBe(NOW + 60);
    const long = await enter(await tokenOf({}, { expiresAt: NOW + 30 * 86_400 }), newKey().publicKey);
    expect(long.until).toBe(NOW + 43_200);
  });

  test.each<[string, Parameters<typeof aUserOf>[2], Parameters<typeof aTokenOf>[2], string]>([
    ["of a person", { isServiceUser: false }, {}, "ERR_TOKEN_INVALID"],
    ["of scope api", {}, { scope: "api" }, "ERR_TOKEN_INVALID"],
    ["that has expired", {}, { expiresAt: NOW }, "ERR_TOKEN_INVALID"],
    ["of one who is blocked", { isBlocked: true }, {}, "ERR_ACCESS_DENIED"],
    ["of one who waits", { pendingApproval: true }, {}, "ERR_ACCESS_DENIED"],
  ])("but not one %s", async (_name, user, token, code) => {
    expect(await codeOf(enter(await tokenOf(user, token)))).toBe(code);
  });

  test("but not one that was made up", async () => {
    expect(await codeOf(enter({ kind: "service_token", token: newSecret("qft_") }))).toBe(
      "ERR_TOKEN_INVALID",
    );
  });
});

describe("a token makes a login", () => {
  test("that is as old as the token, however late it is made", async () => {
    const login = await enter(await aProofOf(key, { iat: NOW - 600 }));
    expect(login).toMatchObject({ binding: "idp", issuedAt: NOW - 600, until: NOW - 600 + 43_200 });
  });

  test("and a second one never, where it names no key", async () => {
    const proof = await aProofOf(key, { nonce: undefined });
    expect((await enter(proof)).binding).toBe("ca");
    expect(await codeOf(enter(proof, newKey().publicKey))).toBe("ERR_TOKEN_INVALID");
  });

  test.each([{ isBlocked: true }, { pendingApproval: true }])(
    "but not for a person with %p",
    async (change) => {
      await setAnna(change);
      expect(await codeOf(enter(await aProofOf(key)))).toBe("ERR_ACCESS_DENIED");
    },
  );

  test("of the embedded provider only while its person has the password that was given for it", async () => {
    const { ctx, account } = lab;
    const made = await aUserOf(ctx.store, account.id, { issuer: EMBEDDED_ISSUER, subject: "carol" });
    const login = (passwordHash: string) => ({
      ...{ id: "carol", accountId: account.id, userId: made.id, email: made.email, passwordHash },
      ...{ passwordChangedAt: NOW, failedAttempts: 0, lockedUntil: null, createdAt: NOW },
    });
    await ctx.store.transaction((tx) => insertIdpAccount(tx, login("$argon2id$one")));
    const proofOf = async (acr: string | undefined) => {
      const loginKey = newKey();
      return codeOf(enter(await aProofOf(loginKey, { sub: "carol", acr }), loginKey.publicKey, made.id));
    };
    const [first, second] = [passwordStamp("$argon2id$one"), passwordStamp("$argon2id$two")];
    expect([await proofOf(first), await proofOf(second), await proofOf(undefined)]).toEqual([
      "counts",
      "ERR_ACCESS_DENIED",
      "ERR_ACCESS_DENIED",
    ]);
    // Chosen in the very second in which the token was issued.
    const chosen = { passwordHash: "$argon2id$two", passwordChangedAt: NOW - 10 };
    await ctx.store.transaction((tx) => updateIdpAccount(tx, "carol", chosen));
    expect([await proofOf(first), await proofOf(second)]).toEqual(["ERR_ACCESS_DENIED", "counts"]);
  });

  test("but not for nobody", async () => {
    expect(await codeOf(enter(await aProofOf(key), key.publicKey, "user0000000000000000"))).toBe(
      "ERR_ACCESS_DENIED",
    );
  });
});

describe("a proof is read", () => {
  const read = (claims: Parameters<typeof aProofOf>[1], when: "first" | "again") =>
    codeOf(
      readProof(lab.deps, lab.account, {
        proof: { kind: "id_token", idToken: aToken({ claims: claims ?? {} }) },
        loginKey: key.publicKey,
        when,
      }),
    );

  test("at first with its end, later without", async () => {
    const { idToken } = await aProofOf(key);
    const { payload } = (await aProofOf(key)).verified;
    expect(idToken).not.toBe("");
    const old = { ...payload, iat: NOW - 600, exp: NOW - 300, auth_time: NOW - 600 };
    expect(await read(old, "first")).toBe("ERR_LOGIN_REQUIRED");
    expect(await read(old, "again")).toBe("counts");
  });

  test("later only where it names the key", async () => {
    expect(await read({ nonce: undefined }, "first")).toBe("counts");
    expect(await read({ nonce: undefined }, "again")).toBe("ERR_TOKEN_INVALID");
  });

  test("never past the account's cap", async () => {
    const { payload } = (await aProofOf(key)).verified;
    const old = { ...payload, iat: NOW - 50_000, exp: NOW + 300, auth_time: NOW - 50_000 };
    expect(await read(old, "first")).toBe("ERR_LOGIN_REQUIRED");
    expect(await read(old, "again")).toBe("ERR_LOGIN_REQUIRED");
  });
});

describe("a token that a hosted sign-in has taken", () => {
  const hosted = async (tokenOfPage: string) => {
    const id = "hosted00000000000000";
    const data = {
      ...{ deviceName: "laptop", target: "", localUser: "", sourceAddress: "", fresh: true },
      confirmation: "code",
      person: { userId: lab.anna.id, tokenHash: tokenHash(tokenOfPage) },
    } as const;
    await lab.ctx.store.transaction((tx) =>
      insertHostedLogin(tx, {
        ...{ id, accountId: lab.account.id, pollSecretHash: "x", codeHash: null, state: "claimed" },
        ...{ triesLeft: 5, sourceAddress: "", loginKey: key.publicKey, data },
        ...{ createdAt: NOW, expiresAt: NOW + 300 },
      }),
    );
    return id;
  };

  test("names the person whom the page has seen", async () => {
    const proof = await aProofOf(key);
    const hostedId = await hosted(proof.idToken);
    expect((await personOf(lab.deps, lab.account, { ...proof, hostedId }))?.id).toBe(lab.anna.id);
  });

  test("names nobody by another token, or another sign-in", async () => {
    const proof = await aProofOf(key, { sub: "mallory-3" });
    const hostedId = await hosted((await aProofOf(key)).idToken);
    expect(await codeOf(personOf(lab.deps, lab.account, { ...proof, hostedId }))).toBe("ERR_LOGIN_REQUIRED");
    const elsewhere = { ...(await aProofOf(key)), hostedId: "hosted00000000000001" };
    expect(await codeOf(personOf(lab.deps, lab.account, elsewhere))).toBe("ERR_LOGIN_REQUIRED");
  });
});
