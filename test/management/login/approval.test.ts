/**
 * Approvals for machines: what one is bound to, what the pages show, and that nothing of the login leaves.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { eq } from "drizzle-orm";
import { generateEd25519, sshBlobOfEd25519 } from "../../../src/base/ed25519.ts";
import { isQfError } from "../../../src/base/errors.ts";
import { newId, sha256 } from "../../../src/base/random.ts";
import { systemInitiator } from "../../../src/management/db/tables/audit-events.ts";
import { findHostedLogin } from "../../../src/management/db/tables/logins.ts";
import { type PeerRow, updatePeer } from "../../../src/management/db/tables/peers.ts";
import { type UserRow, updateUser } from "../../../src/management/db/tables/users.ts";
import { type AskingMachine, createApprovals } from "../../../src/management/login/approval.ts";
import type { LoginDeps } from "../../../src/management/login/deps.ts";
import { createBrowser, textOfId } from "../../support/browser.ts";
import { aPeerOf } from "../../support/management.ts";
import { ADA, startTestManagement, type TestManagement } from "../../support/running-management.ts";
import { openSignedClient, walkForms } from "../../support/signed-client.ts";

const folder = mkdtempSync(join(tmpdir(), "qf-test-"));
const hostKey = sshBlobOfEd25519(generateEd25519().publicKey);
let management: TestManagement;
let ada: UserRow;
let web1: PeerRow;
let web2: PeerRow;

beforeAll(async () => {
  management = await startTestManagement(join(folder, "data"));
  ada = await management.addPerson(ADA);
  const { store } = management.context;
  const change = { name: "web1", hostKeys: [hostKey.toString("base64")] };
  web1 = await aPeerOf(store, management.accountId, change);
  web2 = await aPeerOf(store, management.accountId, { name: "web2" });
});
beforeEach(async () => {
  const { store } = management.context;
  await store.transaction((tx) => tx.sql.delete(tx.t.hostedLogins));
});
afterAll(async () => {
  await management.close();
  rmSync(folder, { recursive: true, force: true });
});

const approvals = () => createApprovals({ ctx: management.context } as LoginDeps);
const machine = (peer: PeerRow = web1): AskingMachine => ({
  accountId: management.accountId,
  peerId: peer.id,
});

/** An approval for `deploy` on web1, with a claim that is right unless told otherwise. */
async function openApproval(peer: PeerRow = web1) {
  const sessionIdHash = sha256(newId());
  const subject = { sessionIdHash, localUser: "deploy" };
  const opened = await approvals().open(machine(peer), {
    type: "approval_open",
    requestId: newId(),
    connectionId: newId(),
    sourceAddress: "203.0.113.9",
    ...subject,
  });
  const claim = (code: string, change: object = {}, by: PeerRow = peer) =>
    approvals().claim(machine(by), {
      type: "approval_claim",
      requestId: newId(),
      approvalId: opened.approvalId,
      code,
      ...subject,
      ...change,
    });
  return { ...opened, claim };
}

async function approve(url: string): Promise<string> {
  const browser = createBrowser();
  return textOfId(await walkForms(browser, await browser.open(url), ADA), "code") ?? "";
}

async function withUser(change: Partial<UserRow>, work: () => Promise<void>): Promise<void> {
  const { store } = management.context;
  const set = (to: Partial<UserRow>) =>
    store.transaction((tx) => updateUser(tx, management.accountId, ada.id, to));
  await set(change);
  try {
    await work();
  } finally {
    await set({ isBlocked: false, pendingApproval: false });
  }
}

test.each(["blocked", "pending"] as const)(
  "a %s machine opens none, and what it opened lets nobody in",
  async (status) => {
    const { store } = management.context;
    const set = (to: "blocked" | "pending" | "active") =>
      store.change({ accountId: management.accountId, initiator: systemInitiator, affectsMaps: true }, (tx) =>
        updatePeer(tx, management.accountId, web1.id, { status: to }),
      );
    const { url, claim } = await openApproval();
    const code = await approve(url);
    await set(status);
    expect(await openApproval().catch((error: unknown) => isQfError(error) && error.code)).toBe(
      "ERR_NOT_FOUND",
    );
    expect(await claim(code)).toEqual({ status: "over" });
    await set("active");
  },
);

describe("an approval", () => {
  test("names machine, local user, source and host key, and gives the person's identity for its code", async () => {
    const { url, claim } = await openApproval();
    const page = await createBrowser().open(url);
    const fingerprint = Bun.spawnSync(["ssh-keygen", "-lf", "-"], {
      stdin: new Blob([`ssh-ed25519 ${hostKey.toString("base64")}\n`]),
    }).stdout.toString();
    for (const shown of ["web1.qf.internal", "deploy", "203.0.113.9", fingerprint.split(" ")[1] ?? "none"]) {
      expect(page.text).toContain(shown);
    }
    expect(await claim("AAAA-AAAA")).toEqual({ status: "waiting" });
    const code = await approve(url);
    expect(code).toMatch(/^[2-9A-HJKMNP-Z]{4}-[2-9A-HJKMNP-Z]{4}$/);
    const answer = await claim(code.toLowerCase());
    expect(answer).toMatchObject({
      status: "approved",
      identity: { userId: ada.id, subject: ada.subject, issuer: management.issuer, refusal: null },
    });
    const events = await management.events();
    const approved = events.find((event) => event.activity_code === "login.hosted.approve");
    expect(approved?.meta).toMatchObject({
      machine: web1.id,
      target: "web1.qf.internal",
      localUser: "deploy",
      source: "203.0.113.9",
    });
    expect(approved?.meta.connection).toMatch(/^[a-z0-9]{20}$/);
  });

  test("is used once", async () => {
    const { url, claim } = await openApproval();
    const code = await approve(url);
    expect((await claim(code)).status).toBe("approved");
    expect(await claim(code)).toEqual({ status: "over" });
  });

  test.each([
    { name: "another machine", change: {}, by: () => web2 },
    { name: "another SSH session", change: { sessionIdHash: sha256("other") }, by: () => web1 },
    { name: "another local user", change: { localUser: "root" }, by: () => web1 },
  ])("is worth nothing for $name, and stays what it was", async ({ change, by }) => {
    const { url, claim } = await openApproval();
    const code = await approve(url);
    expect(await claim(code, change, by())).toEqual({ status: "over" });
    expect((await claim(code)).status).toBe("approved");
  });

  test("has a code of its own: another connection's is wrong", async () => {
    const first = await openApproval();
    const second = await openApproval();
    const code = await approve(first.url);
    await approve(second.url);
    expect(await second.claim(code)).toEqual({ status: "wrong_code", triesLeft: 4 });
  });

  test("takes five wrong codes and then none, and says so in audit", async () => {
    const { url, claim } = await openApproval();
    const code = await approve(url);
    for (const triesLeft of [4, 3, 2, 1, 0]) {
      expect(await claim("WRNG-CODE")).toEqual({ status: "wrong_code", triesLeft });
    }
    expect(await claim(code)).toEqual({ status: "denied" });
    const denied = (await management.events()).filter((e) => e.activity_code === "login.hosted.deny");
    expect(denied.at(-1)?.meta.reason).toBe("wrong codes");
  });

  test("is over after five minutes, approved or not", async () => {
    const { url, claim, approvalId, expiresAtSeconds } = await openApproval();
    const { store, clock } = management.context;
    expect(expiresAtSeconds - Math.floor(clock.nowMs() / 1000)).toBeWithin(298, 301);
    const code = await approve(url);
    await store.transaction((tx) =>
      tx.sql
        .update(tx.t.hostedLogins)
        .set({ expiresAt: Math.floor(clock.nowMs() / 1000) })
        .where(eq(tx.t.hostedLogins.id, approvalId)),
    );
    expect(await claim(code)).toEqual({ status: "over" });
    expect((await createBrowser().open(url)).status).toBe(404);
  });

  test("can be denied on its page", async () => {
    const { url, claim } = await openApproval();
    const browser = createBrowser();
    await browser.submit(await browser.open(url), {}, "deny");
    expect(await claim("AAAA-AAAA")).toEqual({ status: "denied" });
  });

  test("is no approval by a person who is blocked, before or after", async () => {
    const before = await openApproval();
    await withUser({ isBlocked: true }, async () => {
      expect(await approve(before.url)).toBe("");
      expect(await before.claim("AAAA-AAAA")).toEqual({ status: "denied" });
    });
    const after = await openApproval();
    const code = await approve(after.url);
    await withUser({ isBlocked: true }, async () => {
      const answer = await after.claim(code);
      expect(answer).toMatchObject({ status: "approved", identity: { refusal: "user_blocked" } });
    });
  });

  test("keeps the provider's token to itself", async () => {
    const { url, claim, approvalId } = await openApproval();
    const code = await approve(url);
    const row = await management.context.store.read((tx) => findHostedLogin(tx, approvalId));
    expect(JSON.stringify(row?.data)).not.toContain("sealed");
    expect(JSON.stringify(await claim(code))).not.toContain("eyJ");
  });

  test("cannot be claimed as a login of qf's", async () => {
    const { url, approvalId } = await openApproval();
    const code = await approve(url);
    const client = await openSignedClient(management.url);
    const refused = await client.api.claimHosted(approvalId, { pollSecret: "x".repeat(43), code }).then(
      () => "claimed",
      (error: unknown) => (isQfError(error) ? error.code : String(error)),
    );
    expect(refused).toBe("ERR_NOT_FOUND");
  });

  test("needs a code even where a click is enough for logins of qf's", async () => {
    await management.changeSettings({ login_confirmation: "click" });
    const { url, claim } = await openApproval();
    expect(await approve(url)).toMatch(/^\w{4}-\w{4}$/);
    expect((await claim("WRNG-CODE")).status).toBe("wrong_code");
    await management.changeSettings({});
  });

  test("is forgotten when its machine says that nobody waits, and only then", async () => {
    const { url, approvalId, claim } = await openApproval();
    await approvals().close(machine(web2), approvalId);
    expect(await claim("AAAA-AAAA")).toEqual({ status: "waiting" });
    await approvals().close(machine(), approvalId);
    expect((await createBrowser().open(url)).status).toBe(404);
  });

  test("is one of a bounded number for each machine", async () => {
    const open = () =>
      openApproval().then(
        () => "opened",
        (error: unknown) => (error as { code: string }).code,
      );
    const results: string[] = [];
    for (let i = 0; i < 257; i++) results.push(await open());
    expect(results.at(255)).toBe("opened");
    expect(results.at(256)).toBe("ERR_TOO_MANY");
    expect((await openApproval(web2)).url).toStartWith(management.url);
  });
});
