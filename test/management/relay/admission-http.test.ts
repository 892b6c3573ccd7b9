/** Who gets a socket of the relay, by an admission that says what it is told to. */
import { beforeEach, describe, expect, test } from "bun:test";
import type { Admission, NotAdmitted } from "../../../src/management/relay/admission.ts";
import { createGate, type DialCheck, type Gate } from "../../../src/management/relay/admission-http.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { anId } from "../../support/policy.ts";

const unproven: NotAdmitted = { ok: false, reset: "unproven", source: null };
const refused: NotAdmitted = { ok: false, reset: "refused", source: anId("laptop") };
const agent: DialCheck = {
  ok: true,
  agent: { ok: true, accountId: anId("account"), peerId: anId("web1"), name: "web1", isBeside: false },
};
const claim = { hello: "h", proof: "p" };
let clock: FakeClock;
let gate: Gate;
let dialled: Awaited<ReturnType<Admission["dial"]>>;
beforeEach(() => {
  clock = new FakeClock();
  dialled = refused;
  const admission: Admission = {
    dial: async () => dialled,
    serve: async () => unproven,
    mayGoOn: async () => true,
    isMachine: async () => true,
  };
  gate = createGate({ clock, admission, perDeviceMax: 2 });
});

const upgradeHeaders = { upgrade: "websocket", connection: "Upgrade" };

/** What becomes of a request that is checked as `check` says. */
async function pass(check: DialCheck, headers: Record<string, string> = upgradeHeaders) {
  const request = new Request("https://qf.example.com/relay", { headers });
  const upgraded: DialCheck[] = [];
  const answer = await gate.pass(
    { request, sourceAddress: "192.0.2.7", ownOrigin: null },
    async () => check,
    (one) => {
      upgraded.push(one);
      return true;
    },
  );
  return { status: answer?.status ?? 101, upgraded };
}

describe("a socket is given", () => {
  test("to who is admitted, and to a proven device that is to hear why not", async () => {
    expect(await pass(agent)).toEqual({ status: 101, upgraded: [agent] });
    expect(await pass(refused)).toEqual({ status: 101, upgraded: [refused] });
  });

  test("to nobody who has proven nothing, not even to say so", async () => {
    expect(await pass(unproven)).toEqual({ status: 401, upgraded: [] });
  });

  test.each([
    ["of a page in a browser", { ...upgradeHeaders, origin: "https://evil.example" }],
    ["that asks for no socket", {}],
  ])("to no request %s", async (_name, headers) => {
    const { status, upgraded } = await pass(agent, headers as Record<string, string>);
    expect(status).toBeGreaterThanOrEqual(400);
    expect(upgraded).toEqual([]);
  });
});

describe("an address", () => {
  test("that proves nothing, again and again, has to pause", async () => {
    const statuses = [];
    for (let i = 0; i < 101; i++) statuses.push((await pass(unproven)).status);
    expect(new Set(statuses.slice(0, 100))).toEqual(new Set([401]));
    expect(statuses[100]).toBe(429);
    expect((await pass(agent)).status).toBe(429);
    clock.advanceMs(10_000);
    expect((await pass(agent)).status).toBe(101);
  });

  test("of devices that are refused does not", async () => {
    for (let i = 0; i < 300; i++) expect((await pass(refused)).status).toBe(101);
  });
});

test("a device that is refused, again and again, has to pause, and others do not", async () => {
  const resets = [];
  for (let i = 0; i < 101; i++) {
    const answer = await gate.dial(claim);
    resets.push(answer.ok ? "admitted" : answer.reset);
  }
  expect(new Set(resets.slice(0, 100))).toEqual(new Set(["refused"]));
  expect(resets[100]).toBe("limit");
  dialled = { ...refused, source: anId("desktop") };
  expect(await gate.dial(claim)).toMatchObject({ reset: "refused" });
});
