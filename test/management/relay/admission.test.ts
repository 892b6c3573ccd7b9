/** Who is admitted to the relay, asked in process; each row is one step from somebody who is. */
import { beforeEach, describe, expect, test } from "bun:test";
import { nowSeconds } from "../../../src/base/clock.ts";
import { type Ed25519Key, generateEd25519 } from "../../../src/base/ed25519.ts";
import { newId } from "../../../src/base/random.ts";
import { type HelloOptions, makeHello } from "../../../src/fabric/hello.ts";
import { signRelayDial, signRelayServe } from "../../../src/fabric/relay-client.ts";
import { insertGroup } from "../../../src/management/db/tables/groups.ts";
import { deletePeer, type PeerRow, updatePeer } from "../../../src/management/db/tables/peers.ts";
import { deletePolicy, putPolicy } from "../../../src/management/db/tables/policies.ts";
import { type Admission, createAdmission } from "../../../src/management/relay/admission.ts";
import { RELAY_PROOF_HEADER } from "../../../src/wire/relay.ts";
import { type LoginLab, openLoginLab } from "../../support/login-deps.ts";
import { aPeerOf } from "../../support/management.ts";

const initiator = { id: "test", name: "", email: "" };
let lab: LoginLab;
let admission: Admission;
let deviceKey: Ed25519Key;
let machineKey: Ed25519Key;
let device: PeerRow;
let machine: PeerRow;
let policyId: string;

beforeEach(async () => {
  lab = await openLoginLab();
  const { store } = lab.ctx;
  const accountId = lab.account.id;
  [deviceKey, machineKey] = [generateEd25519(), generateEd25519()];
  const [laptops, servers] = [newId(), newId()];
  policyId = newId();
  await store.change({ accountId, initiator, affectsMaps: true }, async (tx) => {
    for (const [id, name] of [
      [laptops, "laptops"],
      [servers, "servers"],
    ] as const) {
      await insertGroup(tx, { id, accountId, name, isAll: false, createdAt: 0 });
    }
    const body = {
      name: "rule",
      enabled: true,
      action: "accept" as const,
      bidirectional: false,
      protocol: "tcp" as const,
      ports: ["22"],
      sources: [laptops],
      destinations: [servers],
    };
    await putPolicy(
      tx,
      {
        ...{ id: policyId, accountId, name: "policy", description: "", enabled: true },
        ...{ sourcePostureChecks: [], createdAt: 0, updatedAt: 0 },
      },
      [{ id: newId(), accountId, policyId, position: 0, body }],
    );
  });
  device = await aPeerOf(store, accountId, {
    ...{ kind: "device", name: "laptop", deviceKey: deviceKey.publicKey, groups: [laptops] },
    owner: lab.anna,
  });
  machine = await aPeerOf(store, accountId, { deviceKey: machineKey.publicKey, groups: [servers] });
  await changed();
  admission = createAdmission(lab.ctx);
});

const changed = (work: Parameters<LoginLab["ctx"]["store"]["change"]>[1] = async () => {}) =>
  lab.ctx.store.change({ accountId: lab.account.id, initiator, affectsMaps: true }, work);
const scope = () => ({ accountId: lab.account.id, origin: lab.ctx.origin });

function hello(change: Partial<HelloOptions> = {}): string {
  return makeHello({
    ...{ deviceKey, scope: scope(), source: device.id, target: machine.id, port: 22 },
    nowSeconds: nowSeconds(lab.ctx.clock),
    ...change,
  }).trimEnd();
}

async function dial(line = hello(), proof = signRelayDial(deviceKey, scope(), line)): Promise<string> {
  const answer = await admission.dial({ hello: line, proof });
  if (answer.ok) return "admitted";
  return answer.source === null ? `nobody: ${answer.reset}` : answer.reset;
}

describe("a client's stream", () => {
  test("is admitted by a rule, once for each hello, also for a ping", async () => {
    const line = hello();
    expect([await dial(line), await dial(line), await dial()]).toEqual(["admitted", "refused", "admitted"]);
    expect(await dial(hello({ port: 7 }))).toBe("admitted");
  });

  test.each<[string, () => Parameters<typeof dial>, string]>([
    ["that is no hello", () => ["noise"], "nobody: unproven"],
    ["of a device nobody registered", () => [hello({ source: newId() })], "nobody: unproven"],
    [
      "whose hello was read on its way",
      () => [hello(), signRelayDial(generateEd25519(), scope(), hello())],
      "nobody: unproven",
    ],
    [
      "with the proof of another hello",
      () => [hello(), signRelayDial(deviceKey, scope(), hello())],
      "nobody: unproven",
    ],
    ["whose hello another key has signed", () => [hello({ deviceKey: generateEd25519() })], "refused"],
    ["to a machine that is not there", () => [hello({ target: newId() })], "refused"],
    ["to another port", () => [hello({ port: 80 })], "refused"],
    [
      "of a minute and a second ago",
      () => [hello({ nowSeconds: nowSeconds(lab.ctx.clock) - 61 })],
      "refused",
    ],
  ])("%s is not admitted", async (_name, claim, want) => {
    expect(await dial(...claim())).toBe(want);
  });

  test("is not admitted without a rule, nor from a blocked device, and goes on no longer then", async () => {
    const parsed = { source: device.id, target: machine.id, port: 22, timeSeconds: 0, nonce: "n".repeat(22) };
    const accountId = lab.account.id;
    expect(await admission.mayGoOn(accountId, parsed)).toBe(true);
    await changed((tx) => updatePeer(tx, accountId, device.id, { status: "blocked" }));
    expect([await dial(), await admission.mayGoOn(accountId, parsed)]).toEqual(["refused", false]);
    await changed((tx) => updatePeer(tx, accountId, device.id, { status: "active" }));
    expect(await admission.mayGoOn(accountId, parsed)).toBe(true);
    await changed(async (tx) => void (await deletePolicy(tx, accountId, policyId)));
    expect([await dial(), await admission.mayGoOn(accountId, parsed)]).toEqual(["refused", false]);
    expect(await admission.mayGoOn(accountId, { ...parsed, target: newId() })).toBe(false);
  });
});

describe("a machine's offer", () => {
  function offer(change: Partial<Parameters<typeof signRelayServe>[0]> = {}): string {
    return signRelayServe({
      ...{ deviceKey: machineKey, scope: scope(), peerId: machine.id, nowSeconds: nowSeconds(lab.ctx.clock) },
      ...change,
    });
  }
  const serve = async (proof = offer()): Promise<boolean> =>
    (await admission.serve(new Headers({ [RELAY_PROOF_HEADER]: proof }))).ok;

  test("is taken once", async () => {
    const proof = offer();
    expect([await serve(proof), await serve(proof), await serve()]).toEqual([true, false, true]);
  });

  test.each<[string, () => string]>([
    ["by another key", () => offer({ deviceKey: generateEd25519() })],
    ["of a person's device", () => offer({ deviceKey, peerId: device.id })],
    ["of a machine that is not there", () => offer({ peerId: newId() })],
    ["of another management", () => offer({ scope: { ...scope(), origin: "https://b.example.com" } })],
    ["of a minute and a second ago", () => offer({ nowSeconds: nowSeconds(lab.ctx.clock) - 61 })],
    ["of a minute and a second ahead", () => offer({ nowSeconds: nowSeconds(lab.ctx.clock) + 61 })],
    ["that is none", () => "noise"],
  ])("%s is not taken", async (_name, proof) => {
    expect(await serve()).toBe(true);
    expect(await serve(proof())).toBe(false);
  });

  test.each(["blocked", "pending"] as const)(
    "is not taken of a machine that is %s, nor kept",
    async (status) => {
      expect([await serve(), await admission.isMachine(machine.id)]).toEqual([true, true]);
      await changed((tx) => updatePeer(tx, lab.account.id, machine.id, { status }));
      expect([await serve(), await admission.isMachine(machine.id)]).toEqual([false, false]);
    },
  );

  test("lasts no longer than the machine", async () => {
    expect([await admission.isMachine(machine.id), await admission.isMachine(device.id)]).toEqual([
      true,
      false,
    ]);
    await changed((tx) => deletePeer(tx, machine));
    expect(await admission.isMachine(machine.id)).toBe(false);
  });
});
