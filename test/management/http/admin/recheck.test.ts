/** The caller is judged anew inside the transaction that writes: what changed meanwhile counts. */
import { beforeEach, expect, test } from "bun:test";
import { isQfError } from "../../../../src/base/errors.ts";
import { deleteToken, findByToken } from "../../../../src/management/db/tables/api-tokens.ts";
import { updateUser } from "../../../../src/management/db/tables/users.ts";
import { mayCall, type Principal, recheck } from "../../../../src/management/http/admin/access.ts";
import { requireOwnerRemains } from "../../../../src/management/http/admin/user-rules.ts";
import { TestApi } from "../../../support/admin-api.ts";

let api: TestApi;
let admin: Principal;
beforeEach(async () => {
  api = await TestApi.open();
  const { token } = await api.tokenAs("admin");
  const found = await api.management.store.read((tx) => findByToken(tx, token));
  if (found === undefined) throw new Error("the token is not there");
  admin = { user: found.user, credential: { kind: "token", id: found.token.id } };
});

const store = () => api.management.store;
const codeOf = async (work: Promise<unknown>): Promise<string> => {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  return error === undefined ? "done" : isQfError(error) ? error.code : String(error);
};
const again = () => codeOf(store().read((tx) => recheck(tx, admin, "write")));

test.each<[name: string, change: () => Promise<unknown>, code: string]>([
  ["nothing", async () => {}, "done"],
  [
    "the token deleted",
    () => store().transaction((tx) => deleteToken(tx, api.accountId, admin.credential.id)),
    "ERR_UNAUTHENTICATED",
  ],
  ["the token expired", async () => api.management.clock.advanceMs(86_401_000), "ERR_UNAUTHENTICATED"],
  ["the user blocked", () => change({ isBlocked: true }), "ERR_FORBIDDEN"],
  ["the user waiting", () => change({ pendingApproval: true }), "ERR_FORBIDDEN"],
  ["the role taken", () => change({ role: "auditor" }), "ERR_FORBIDDEN"],
  ["the role raised", () => change({ role: "owner" }), "done"],
])("with %s since it came in", async (_name, happen, code) => {
  expect(await again()).toBe("done");
  await happen();
  expect(await again()).toBe(code);
});

function change(fields: Parameters<typeof updateUser>[3]): Promise<unknown> {
  return store().transaction((tx) => updateUser(tx, api.accountId, admin.user.id, fields));
}

test("the token of another user is none of theirs", async () => {
  const stranger = { ...admin, user: { ...admin.user, id: api.ownerId } };
  expect(await codeOf(store().read((tx) => recheck(tx, stranger, "write")))).toBe("ERR_UNAUTHENTICATED");
});

test("what an owner does is for owners, and so on down", () => {
  const roles = ["owner", "admin", "network_admin", "auditor", "billing_admin", "user"] as const;
  const allowed = (access: Parameters<typeof mayCall>[1]) => roles.filter((role) => mayCall(role, access));
  expect(allowed("owner")).toEqual(["owner"]);
  expect(allowed("write")).toEqual(["owner", "admin"]);
  expect(allowed("read")).toEqual(["owner", "admin", "network_admin", "auditor"]);
  expect(allowed("self")).toEqual([...roles]);
});

test.each([{ isBlocked: true }, { pendingApproval: true }, { role: "admin" as const }])(
  "an account whose last owner has %p has none left",
  async (fields) => {
    const remains = () => codeOf(store().read((tx) => requireOwnerRemains(tx, api.accountId)));
    expect(await remains()).toBe("done");
    await store().transaction((tx) => updateUser(tx, api.accountId, api.ownerId, fields));
    expect(await remains()).toBe("ERR_CONFLICT");
  },
);
