import { expect, test } from "bun:test";
import { chmodSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { isQfError } from "../../../src/base/errors.ts";
import {
  newAccountKeys,
  newServerKeys,
  openEd25519,
  openProviderJwk,
  openSecret,
  publicJwkOf,
} from "../../../src/management/ca/account-keys.ts";
import { createMasterKey, openMasterKey } from "../../../src/management/ca/master-key.ts";
import { seal, unseal } from "../../../src/management/ca/seal.ts";
import type { Row } from "../../../src/management/db/schema/schema.ts";
import { tempFolder } from "../../support/temp-folder.ts";

const masterKey = new Uint8Array(32).fill(3);
const owner = { purpose: "test", id: "a", accountId: "b" };

function codeOf(work: () => unknown): string {
  try {
    work();
    return "none";
  } catch (error) {
    return isQfError(error) ? error.code : String(error);
  }
}

async function failureOf(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => "none",
    (error: unknown) => (isQfError(error) ? error.code : String(error)),
  );
}

test("a sealed secret opens again, and differs each time it is sealed", () => {
  const sealed = seal(masterKey, "secret", owner);
  expect(unseal(masterKey, sealed, owner).toString()).toBe("secret");
  expect(seal(masterKey, "secret", owner)).not.toBe(sealed);
  expect(Buffer.from(sealed, "base64url").includes("secret")).toBe(false);
});

test.each([
  { name: "another master key", key: new Uint8Array(32).fill(4), as: owner },
  { name: "another purpose", key: masterKey, as: { ...owner, purpose: "other" } },
  { name: "another id", key: masterKey, as: { ...owner, id: "c" } },
  { name: "another account", key: masterKey, as: { ...owner, accountId: "c" } },
  { name: "a shifted boundary", key: masterKey, as: { purpose: "testa", id: "", accountId: "b" } },
])("a sealed secret does not open under $name", ({ key, as }) => {
  expect(codeOf(() => unseal(key, seal(masterKey, "secret", owner), as))).toBe("ERR_STATE_DAMAGED");
});

test("a sealed secret does not open when any byte of it was changed, or is missing", () => {
  const bytes = Buffer.from(seal(masterKey, "secret", owner), "base64url");
  for (let i = 0; i < bytes.length; i++) {
    const changed = Buffer.from(bytes);
    changed.writeUInt8(changed.readUInt8(i) ^ 1, i);
    expect(codeOf(() => unseal(masterKey, changed.toString("base64url"), owner))).toBe("ERR_STATE_DAMAGED");
    const cut = bytes.subarray(0, i).toString("base64url");
    expect(codeOf(() => unseal(masterKey, cut, owner))).toBe("ERR_STATE_DAMAGED");
  }
});

test("a master key is made once, 0600, and read only so", async () => {
  const path = join(tempFolder(), "master.key");
  const made = await createMasterKey(path);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(await openMasterKey(path)).toEqual(new Uint8Array(made));
  expect(await failureOf(createMasterKey(path))).toBe("ERR_ALREADY_INITIALISED");
  chmodSync(path, 0o640);
  expect(await failureOf(openMasterKey(path))).toBe("ERR_PERMISSION");
});

test("a master key that is missing, of another length, or a link is refused", async () => {
  const folder = tempFolder();
  expect(await failureOf(openMasterKey(join(folder, "none")))).toBe("ERR_NOT_INITIALISED");
  writeFileSync(join(folder, "short"), "x", { mode: 0o600 });
  expect(await failureOf(openMasterKey(join(folder, "short")))).toBe("ERR_STATE_DAMAGED");
  await createMasterKey(join(folder, "real"));
  symlinkSync(join(folder, "real"), join(folder, "link"));
  expect(await failureOf(openMasterKey(join(folder, "link")))).toBe("ERR_PERMISSION");
});

test("keys open as what their rows say, and not in another's place", () => {
  const rows = newAccountKeys(masterKey, "account", 1) as Row<"signingKeys">[];
  const [ca, token] = rows;
  if (ca === undefined || token === undefined) throw new Error("no keys");
  expect(rows.map((row) => row.purpose)).toEqual(["ca", "token"]);
  expect(openEd25519(masterKey, ca).publicKey).toBe(ca.publicKey);
  expect(codeOf(() => openEd25519(masterKey, { ...ca, encrypted: token.encrypted }))).toBe(
    "ERR_STATE_DAMAGED",
  );
  for (const relabelled of [{ accountId: "other" }, { purpose: "token" as const }, { id: token.id }]) {
    expect(codeOf(() => openEd25519(masterKey, { ...ca, ...relabelled }))).toBe("ERR_STATE_DAMAGED");
  }
  expect(codeOf(() => openEd25519(masterKey, { ...ca, publicKey: token.publicKey }))).toBe(
    "ERR_STATE_DAMAGED",
  );
});

test("the provider's keys are EdDSA and ES256, and their public halves hold nothing private", () => {
  const rows = newServerKeys(masterKey, 1) as Row<"signingKeys">[];
  const oidc = rows.filter((row) => row.purpose === "oidc");
  expect(oidc.map((row) => publicJwkOf(row).alg)).toEqual(["EdDSA", "ES256"]);
  for (const row of oidc) {
    expect(publicJwkOf(row)).not.toHaveProperty("d");
    expect(openProviderJwk(masterKey, row)).toMatchObject({ ...publicJwkOf(row), d: expect.any(String) });
  }
  const cookie = rows.find((row) => row.purpose === "cookie");
  expect(cookie === undefined ? "" : openSecret(masterKey, cookie)).toHaveLength(43);
});
