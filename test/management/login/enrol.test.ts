/** A machine comes in by a setup key, by an administrator, or again by its own key; rows are one step off. */
import { beforeEach, describe, expect, test } from "bun:test";
import { signEd25519 } from "../../../src/base/ed25519.ts";
import { isQfError } from "../../../src/base/errors.ts";
import { newId, newSecret } from "../../../src/base/random.ts";
import { updatePeer } from "../../../src/management/db/tables/peers.ts";
import { hashSetupKey, insertSetupKey } from "../../../src/management/db/tables/setup-keys.ts";
import { updateUser } from "../../../src/management/db/tables/users.ts";
import { DenialCause } from "../../../src/management/login/denial.ts";
import { enrolMachine } from "../../../src/management/login/enrol.ts";
import type { EnrolRequest } from "../../../src/wire/enrolment.ts";
import { anEnrolment, aProofOf, type LoginLab, newKey, openLoginLab } from "../../support/login-deps.ts";
import { aPeerOf } from "../../support/management.ts";
import { NOW } from "../../support/tokens.ts";

const bad = signEd25519(newKey(), new Uint8Array(8));
let lab: LoginLab;
beforeEach(async () => {
  lab = await openLoginLab();
});

async function outcome(request: EnrolRequest): Promise<string> {
  try {
    return (await enrolMachine(lab.deps, request, "192.0.2.7")).name;
  } catch (error) {
    if (!isQfError(error)) return String(error);
    return error.cause instanceof DenialCause ? error.cause.reason : error.code;
  }
}

async function aSetupKey(change: Partial<Parameters<typeof insertSetupKey>[1]> = {}): Promise<string> {
  const setupKey = newSecret("qfs_");
  await lab.ctx.store.transaction((tx) =>
    insertSetupKey(tx, {
      ...{ id: newId(), accountId: lab.account.id, name: "test", hash: hashSetupKey(setupKey) },
      ...{ masked: "qfs_****", type: "reusable", usageLimit: 0, usedTimes: 0, autoGroups: [] },
      ...{ ephemeral: false, allowExtraDnsLabels: false, revoked: false, lastUsedAt: null },
      ...{ createdAt: NOW, updatedAt: NOW, expiresAt: NOW + 3_600 },
      ...change,
    }),
  );
  return setupKey;
}

/** Anna's login key and proof. */
async function anna() {
  const loginKey = newKey();
  const { idToken } = await aProofOf(loginKey);
  return { loginKey, proof: { kind: "id_token", idToken } as const };
}

describe("by a setup key", () => {
  test("a machine is enrolled, and again by its own key", async () => {
    const key = newKey();
    const setupKey = await aSetupKey();
    expect(await outcome(anEnrolment(lab, key, { setupKey }))).toBe("web1");
    expect(await outcome(anEnrolment(lab, key, null))).toBe("web1");
    expect(await outcome(anEnrolment(lab, newKey(), null))).toBe("ERR_NOT_ENROLLED");
  });

  test("of one use one machine is enrolled, whose lost answer costs nothing", async () => {
    const key = newKey();
    const setupKey = await aSetupKey({ usageLimit: 1, type: "one-off" });
    for (let i = 0; i < 2; i++) expect(await outcome(anEnrolment(lab, key, { setupKey }))).toBe("web1");
    expect(await outcome(anEnrolment(lab, newKey(), { setupKey }))).toBe("ERR_UNAUTHENTICATED");
  });

  test.each<[string, Parameters<typeof aSetupKey>[0]]>([
    ["revoked", { revoked: true }],
    ["expired", { expiresAt: NOW }],
    ["used up", { usageLimit: 1, usedTimes: 1 }],
  ])("that is %s nobody is enrolled", async (_name, change) => {
    const setupKey = await aSetupKey(change);
    expect(await outcome(anEnrolment(lab, newKey(), { setupKey }))).toBe("ERR_UNAUTHENTICATED");
  });

  test("that was put in the place of the signed one nobody is enrolled", async () => {
    const [mine, theirs] = [await aSetupKey(), await aSetupKey()];
    const credential = { kind: "setup_key", setupKey: theirs } as const;
    const request = anEnrolment(lab, newKey(), { setupKey: mine }, { credential });
    expect(await outcome(request)).toBe("ERR_UNAUTHENTICATED");
  });
});

describe("by a sign-in", () => {
  test.each([
    ["owner", "web1"],
    ["admin", "web1"],
    ["network_admin", "ERR_FORBIDDEN"],
    ["auditor", "ERR_FORBIDDEN"],
    ["user", "ERR_FORBIDDEN"],
  ] as const)("of role %s: %s", async (role, want) => {
    await lab.ctx.store.transaction((tx) => updateUser(tx, lab.account.id, lab.anna.id, { role }));
    expect(await outcome(anEnrolment(lab, newKey(), await anna()))).toBe(want);
  });

  test("a machine is enrolled only with the login key's own signature", async () => {
    await lab.ctx.store.transaction((tx) => updateUser(tx, lab.account.id, lab.anna.id, { role: "admin" }));
    const request = anEnrolment(lab, newKey(), await anna());
    if (request.credential.kind !== "login") throw new Error("no login");
    const credential = { ...request.credential, loginSignature: bad };
    expect(await outcome({ ...request, credential })).toBe("ERR_UNAUTHENTICATED");
  });
});

describe("a machine is not enrolled", () => {
  test.each<[string, Partial<EnrolRequest>]>([
    ["without its device key's signature", { deviceSignature: bad }],
    ["under another name than was signed", { name: "web2" }],
    ["with other host keys than were signed", { hostKeys: [] }],
    ["by a device key that did not sign", { deviceKey: newKey().publicKey }],
  ])("%s", async (_name, bent) => {
    const setupKey = await aSetupKey();
    expect(await outcome(anEnrolment(lab, newKey(), { setupKey }, bent))).toBe("ERR_UNAUTHENTICATED");
  });

  test("by a person's device", async () => {
    const key = newKey();
    const device = { kind: "device", deviceKey: key.publicKey, owner: lab.anna } as const;
    await aPeerOf(lab.ctx.store, lab.account.id, device);
    expect(await outcome(anEnrolment(lab, key, { setupKey: await aSetupKey() }))).toBe("ERR_FORBIDDEN");
    expect(await outcome(anEnrolment(lab, key, null))).toBe("ERR_FORBIDDEN");
  });

  test("again once it is blocked, by whichever way", async () => {
    const key = newKey();
    const { id } = await aPeerOf(lab.ctx.store, lab.account.id, { deviceKey: key.publicKey });
    await lab.ctx.store.transaction((tx) => updatePeer(tx, lab.account.id, id, { status: "blocked" }));
    expect(await outcome(anEnrolment(lab, key, null))).toBe("device_blocked");
    expect(await outcome(anEnrolment(lab, key, { setupKey: await aSetupKey() }))).toBe("device_blocked");
  });
});
