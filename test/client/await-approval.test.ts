/** Waiting for an approval, against a management that answers as each case wants. */
import { expect, test } from "bun:test";
import { generateEd25519 } from "../../src/base/ed25519.ts";
import { QfError } from "../../src/base/errors.ts";
import { approversOf, awaitApproval } from "../../src/client/await-approval.ts";
import type { ClientApi } from "../../src/client/client-api.ts";
import { ManagementAwayError } from "../../src/client/client-api.ts";
import type { ClientSession, Login } from "../../src/client/client-session.ts";
import type { AccessRequest } from "../../src/wire/access-request.ts";
import type { CertificateResponse } from "../../src/wire/client-api.ts";
import { FakeClock } from "../support/fake-clock.ts";

const denial = { outcome: "denied", reason: "approval_required", target: { peerId: "m" } };
const waitingRequest = {
  ...{ id: "r", state: "waiting", machine: { id: "m", name: "web1" }, approver_groups: [] },
  ...{ url: "https://qf.test/requests/r", decided_by: null, note: "", ends_at: null },
};

async function wait(
  answers: readonly (Partial<AccessRequest> | Error)[],
  change: Partial<Parameters<typeof awaitApproval>[2]> = {},
) {
  const said: string[] = [];
  const asked: unknown[] = [];
  const rest = [...answers];
  const api = {
    challenge: async () => ({ challenge: "c", expiresAtSeconds: 0 }),
    apiToken: async () => ({ token: "t".repeat(20), expiresAtSeconds: 0 }),
    askAccess: async (_: string, body: unknown) => {
      asked.push(body);
      return waitingRequest;
    },
    accessRequest: async () => {
      const next = rest.shift() ?? {};
      if (next instanceof Error) throw next;
      return { ...waitingRequest, ...next };
    },
  };
  const session = { api: api as unknown as ClientApi, clock: new FakeClock(), deviceKey: generateEd25519() };
  const login = {
    scope: { accountId: "a", origin: "https://qf.test" },
    loginKey: generateEd25519(),
    proof: { kind: "claimed", loginId: "l" },
    devicePeerId: "d",
  };
  const terminal = { say: (line: string) => void said.push(line), canAsk: () => true, ask: async () => "" };
  const outcome = await awaitApproval(session as unknown as ClientSession, login as unknown as Login, {
    ...{ terminal, answer: denial as unknown as CertificateResponse, target: "web1" },
    ...{ localUser: "deploy", reason: undefined, ...change },
  });
  return { outcome, said, asked };
}

test("it says who can approve and where, and goes on once somebody has", async () => {
  const approved = { state: "approved" as const, decided_by: { id: "b", name: "Bob" } };
  const { outcome, said } = await wait([{}, { ...approved, ends_at: "2026-01-01T00:00:00Z" }]);
  expect(outcome).toBe(true);
  expect(said[0]).toMatch(/^qf: deploy@web1 .+ admin: https:\/\/qf\.test\/requests\/r$/);
  expect(said.at(-1)).toStartWith("qf: approved by Bob, until ");
});

test("management that is away for a while ends no wait", async () => {
  const away = new ManagementAwayError("ERR_UNAVAILABLE", "away");
  const { outcome } = await wait([away, { state: "approved" }]);
  expect(outcome).toBe(true);
});

test.each<[string, Partial<AccessRequest>, RegExp]>([
  [
    "denied",
    { state: "denied", note: "not now", decided_by: { id: "b", name: "Bob" } },
    /Bob has denied .*not now/,
  ],
  ["cancelled", { state: "cancelled" }, /is cancelled/],
  ["expired", { state: "expired" }, /is expired/],
])("one that is %s is told", async (_, answer, message) => {
  await expect(wait([answer])).rejects.toThrow(message);
});

test("other failures are passed on", async () => {
  await expect(wait([new QfError("ERR_NOT_FOUND", "request not found")])).rejects.toMatchObject({
    code: "ERR_NOT_FOUND",
  });
});

test("who is not known to be anybody there is not asked for", async () => {
  const unknown = await wait([], { localUser: "", findLocalUser: async () => undefined });
  expect(unknown).toMatchObject({ outcome: false, asked: [] });
  const found = await wait([{ state: "approved" }], { localUser: "", findLocalUser: async () => "web" });
  expect(found.asked).toMatchObject([{ local_user: "web", machine: "m" }]);
});

test("approvers are named by their groups", () => {
  const groups = [
    { id: "a", name: "leads" },
    { id: "b", name: "security" },
  ];
  expect(approversOf({ approver_groups: groups })).toEndWith("leads or security");
});
