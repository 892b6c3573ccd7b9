/** The order in which a proven person is let in: policy, the path, the account, a place, and PAM last. */
import { expect, test } from "bun:test";
import type { ServerContext } from "../../../src/agent/contracts/server-context.ts";
import { type AdmissionRequest, admit } from "../../../src/agent/ssh-server/admit.ts";
import type { Subject, Who } from "../../../src/agent/ssh-server/authorize.ts";
import { Evidence } from "../../../src/agent/ssh-server/evidence.ts";
import type { ConnectionPermits } from "../../../src/agent/ssh-server/permit-context.ts";
import { silentLog } from "../../../src/base/log.ts";
import { prepareSnapshot } from "../../../src/policy/decide/snapshot.ts";
import type { AgentEventBody } from "../../../src/wire/audit-event.ts";
import type { Action } from "../../../src/wire/decision.ts";
import type { ReasonCode } from "../../../src/wire/reason.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { aMap, anId, aPeer } from "../../support/policy.ts";

const clock = new FakeClock();
const who: Who = {
  ...{ kind: "user" as const, userId: anId("alice"), issuer: "https://idp.example.com", subject: "alice" },
  ...{ devicePeerId: anId("laptop"), authTimeSeconds: 1, binding: "idp" as const, loginId: "l" },
};

/** Admits with everything in order, but for what is bent. */
async function admitWith(
  bent: Partial<AdmissionRequest> & { readonly policy?: ReasonCode; readonly mapVersion?: number } = {},
) {
  const asked: string[] = [];
  const events: AgentEventBody[] = [];
  const snapshot = prepareSnapshot(aMap({ peers: [aPeer("laptop", [])] }));
  const audit = { record: async (event: AgentEventBody) => void events.push(event) };
  const evidence = new Evidence(
    { audit: audit as never, log: silentLog },
    { connectionId: "c", sourceAddress: "192.0.2.1", userId: anId("alice"), binding: "idp" },
  );
  let subject: Subject | undefined;
  const request = { action: { kind: "connect" } } as never;
  const deny = (reason: ReasonCode, _action: Action) =>
    ({
      kind: "deny",
      reason,
      request,
      record: { outcome: "deny", reason, ruleId: null, trace: [] },
    }) as never;
  const allow = { kind: "allow", grant: { ruleId: "r", capabilities: {} }, request, record: {} } as never;
  const { policy } = bent;
  const permits = {
    ...{ connectionId: "c", log: silentLog, evidence, running: new Set(), endRetryMs: 1, deny },
    authorize: () => {
      asked.push("policy");
      return policy === undefined ? allow : deny(policy, { kind: "connect" });
    },
    nowMs: () => 0,
    isOver: () => false,
    endReason: () => null,
    onRefusal: () => {},
  } as unknown as ConnectionPermits;
  const serverContext = {
    ...{ clock, log: silentLog, audit, snapshot: () => snapshot },
    waitForMapVersion: async (version: number) => void asked.push(`map ${version}`),
  } as unknown as ServerContext;
  const admission = await admit(serverContext, {
    connectionId: "c",
    origin: { path: "direct", sourceAddress: "192.0.2.1", sourcePeerId: anId("laptop") } as never,
    clientVersion: "test",
    localUser: "root",
    prove: () => ({ kind: "proven", who, serial: "7", mapVersion: bent.mapVersion ?? 0 }),
    checkAccount: async () => {
      asked.push("pam");
      return { reason: null, text: "" };
    },
    takePlace: (key) => asked.push(`place ${key}`) > 0,
    permitsFor: (found) => {
      subject = found;
      return permits;
    },
    ...bent,
  });
  const reason = events.flatMap((event) => (event.type === "decision" ? [event.decision.reason] : [])).at(-1);
  return {
    kind: admission.kind,
    text: "text" in admission ? admission.text : "",
    reason,
    asked,
    subject,
    events,
  };
}

const PLACE = `place ${anId("alice")}`;

test("asks policy, then for a place, then PAM, then policy until it is stored", async () => {
  const { kind, asked, events } = await admitWith();
  expect(kind).toBe("admitted");
  expect(asked).toEqual(["policy", PLACE, "pam", "policy", "policy"]);
  expect(events.map(({ type }) => type)).toEqual(["decision", "connection.open"]);
  expect(events[1]).toMatchObject({ userId: anId("alice"), connectionId: "c" });
});

test("asks neither for a place nor PAM about whom policy refuses", async () => {
  const { kind, reason, asked } = await admitWith({ policy: "user_blocked" });
  expect([kind, reason]).toEqual(["refused", "user_blocked"]);
  expect(asked).toEqual(["policy"]);
});

test("asks policy where the stream has no hello whether the device may come in at all", async () => {
  const origin = { path: "plain", sourceAddress: "192.0.2.1", sourcePeerId: null } as never;
  const { kind, reason, asked } = await admitWith({ origin });
  expect([kind, reason]).toEqual(["refused", "network_not_allowed"]);
  expect(asked).toEqual(["policy"]);
});

test("refuses a name without an account, which is nobody's", async () => {
  const { kind, reason, subject, asked } = await admitWith({ localUser: "no-such-user" });
  expect([kind, reason]).toEqual(["refused", "account_unknown"]);
  expect(subject?.localUid).toBeNull();
  expect(asked).toEqual(["policy"]);
});

test("refuses where there is no place, before PAM is asked", async () => {
  const { kind, reason, asked } = await admitWith({ takePlace: () => false });
  expect([kind, reason]).toEqual(["refused", "limit_reached"]);
  expect(asked).toEqual(["policy"]);
});

test("refuses what PAM refuses, with its words", async () => {
  const checkAccount = async () => ({ reason: "account_expired", text: "Your account has expired" }) as const;
  const { kind, reason, text } = await admitWith({ checkAccount });
  expect([kind, reason, text]).toEqual(["refused", "account_expired", "Your account has expired"]);
});

test("waits for the map that the certificate was made by", async () => {
  expect((await admitWith({ mapVersion: 1_000 })).asked[0]).toBe("map 1000");
});
