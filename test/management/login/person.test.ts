/** Who a verified token makes known here: each row is one step from a first, or a later, sign-in. */
import { beforeEach, describe, expect, test } from "bun:test";
import { isQfError } from "../../../src/base/errors.ts";
import type { GroupsClaim } from "../../../src/identity/groups-claim.ts";
import { defaultSettings } from "../../../src/management/contracts/settings.ts";
import { findAccount } from "../../../src/management/db/tables/accounts.ts";
import { listEvents } from "../../../src/management/db/tables/audit-events.ts";
import { insertGroup } from "../../../src/management/db/tables/groups.ts";
import {
  EMBEDDED_ISSUER,
  findUser,
  listUsers,
  type UserRow,
} from "../../../src/management/db/tables/users.ts";
import { DenialCause } from "../../../src/management/login/denial.ts";
import { checkMaySignIn, findOrCreateUser } from "../../../src/management/login/person.ts";
import type { AccountSettings } from "../../../src/wire/account-settings.ts";
import { aProofOf, type LoginLab, newKey, openLoginLab } from "../../support/login-deps.ts";
import { aUserOf } from "../../support/management.ts";
import { ISSUER } from "../../support/tokens.ts";

const key = newKey();
const initiator = { id: "test", name: "", email: "" };
let lab: LoginLab;
beforeEach(async () => {
  lab = await openLoginLab();
});

interface Arriving {
  readonly subject?: string;
  readonly issuer?: string;
  readonly claims?: Record<string, unknown>;
  readonly groups?: GroupsClaim | null;
  readonly settings?: Partial<AccountSettings>;
}

async function arrive({ subject = "bert-2", issuer = ISSUER, ...more }: Arriving = {}): Promise<UserRow> {
  const { ctx, account } = lab;
  const { verified } = await aProofOf(key);
  const deps = {
    oidc: ctx.oidc,
    account: { ...account, settings: { ...defaultSettings(), ...more.settings } },
    groups: more.groups ?? null,
    claims: more.claims ?? {},
  };
  return ctx.store.change({ accountId: account.id, initiator }, (tx) =>
    findOrCreateUser(tx, deps, { ...verified, issuer, subject }),
  );
}

const reasonOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => "known",
    (error: unknown) =>
      isQfError(error) && error.cause instanceof DenialCause ? error.cause.reason : String(error),
  );
const storedUser = (id: string) => lab.ctx.store.read((tx) => findUser(tx, lab.account.id, id));
const versionNow = async () =>
  (await lab.ctx.store.read((tx) => findAccount(tx, lab.account.id)))?.version ?? 0;
const groupNamed = async (name: string, isAll = false): Promise<string> => {
  const id = `g${name}`.toLowerCase().padEnd(20, "0").slice(0, 20);
  await lab.ctx.store.transaction((tx) =>
    insertGroup(tx, { id, accountId: lab.account.id, name, isAll, createdAt: 0 }),
  );
  return id;
};
const named = (...entries: string[]): GroupsClaim => ({ kind: "named", entries, isText: false, unread: 0 });

describe("a first sign-in", () => {
  test("makes a person in no group, with an event, and machines are told", async () => {
    const before = await versionNow();
    const user = await arrive({ claims: { name: "Bert", email: "bert@example.com" } });
    expect(user).toMatchObject({ role: "user", autoGroups: [], name: "Bert", pendingApproval: false });
    expect(await storedUser(user.id)).toMatchObject({ issuer: ISSUER, subject: "bert-2" });
    expect(await versionNow()).toBe(before + 1);
    const events = await lab.ctx.store.read((tx) => listEvents(tx, lab.account.id, { limit: 10 }));
    expect(events.map(({ activity }) => activity)).toContain("user.join");
  });

  test("is never somebody else's, whatever the e-mail address and the subject", async () => {
    const people = [
      await arrive({ claims: { email: lab.anna.email } }),
      await arrive({ issuer: "https://b.example.com", subject: "anna-1" }),
      await arrive({ subject: "Anna-1" }),
    ];
    expect(new Set([lab.anna.id, ...people.map(({ id }) => id)]).size).toBe(4);
  });

  test.each<[string, Partial<AccountSettings>, boolean]>([
    ["nobody", {}, false],
    ["pending_approval", { pending_approval: true }, true],
    [
      "NetBird's user_approval_required",
      { extra: { user_approval_required: true, network_traffic_logs_groups: [] } },
      true,
    ],
  ])("waits for approval where %s asks for it", async (_name, settings, waits) => {
    expect((await arrive({ settings })).pendingApproval).toBe(waits);
  });

  test("with the embedded provider is of those only whom an administrator has made", async () => {
    const { issuer } = lab.ctx.oidc;
    const made = await aUserOf(lab.ctx.store, lab.account.id, { issuer: EMBEDDED_ISSUER, subject: "carol" });
    expect((await arrive({ issuer, subject: "carol" })).id).toBe(made.id);
    // One who was deleted has a session at the provider still, and stays deleted.
    const before = await lab.ctx.store.read((tx) => listUsers(tx, lab.account.id));
    expect(await reasonOf(arrive({ issuer, subject: "deleted" }))).toBe("user_unknown");
    expect(await lab.ctx.store.read((tx) => listUsers(tx, lab.account.id))).toHaveLength(before.length);
  });

  test("gives what the claim names, and never the group of everybody", async () => {
    const devs = await groupNamed("devs");
    const groups = named("devs", "All", "nowhere");
    expect((await arrive({ groups })).autoGroups).toEqual([devs]);
  });
});

describe("a later sign-in", () => {
  test("takes groups away that the claim does not name any more, and machines are told", async () => {
    const [devs, ops] = [await groupNamed("devs"), await groupNamed("ops")];
    const user = await arrive({ groups: named("devs", "ops") });
    expect(user.autoGroups).toEqual([devs, ops]);
    const before = await versionNow();
    await arrive({ groups: named("ops") });
    expect((await storedUser(user.id))?.autoGroups).toEqual([ops]);
    expect(await versionNow()).toBe(before + 1);
    await arrive({ groups: named() });
    expect((await storedUser(user.id))?.autoGroups).toEqual([]);
  });

  test.each<[string, Record<string, unknown>]>([
    ["name", { name: "Bertha", email: "bert@example.com" }],
    ["e-mail address", { name: "Bert", email: "bertha@example.com" }],
  ])("tells machines of another %s", async (_name, claims) => {
    await arrive({ claims: { name: "Bert", email: "bert@example.com" } });
    const before = await versionNow();
    await arrive({ claims });
    expect(await versionNow()).toBe(before + 1);
  });

  test("tells machines nothing where nothing has changed", async () => {
    const claims = { name: "Bert", email: "bert@example.com" };
    await arrive({ claims });
    const before = await versionNow();
    await arrive({ claims });
    expect(await versionNow()).toBe(before);
  });

  test("changes nothing of what the embedded provider's people are called", async () => {
    const { issuer } = lab.ctx.oidc;
    const made = await aUserOf(lab.ctx.store, lab.account.id, { issuer: EMBEDDED_ISSUER, subject: "carol" });
    const claims = { name: "Root", email: "root@example.com" };
    expect(await arrive({ issuer, subject: "carol", claims })).toMatchObject({
      name: made.name,
      email: made.email,
    });
  });
});

test.each([
  [{}, "known"],
  [{ isBlocked: true }, "user_blocked"],
  [{ pendingApproval: true }, "user_pending"],
  [{ isBlocked: true, pendingApproval: true }, "user_blocked"],
])("a person with %p is %s", async (change, want) => {
  const asked = Promise.resolve().then(() => checkMaySignIn({ ...lab.anna, ...change }));
  expect(await reasonOf(asked)).toBe(want);
});
