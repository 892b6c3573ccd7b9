/** A device is registered by its person, signed by both keys; each row is one step from that. */
import { beforeEach, describe, expect, test } from "bun:test";
import { signEd25519 } from "../../../src/base/ed25519.ts";
import { isQfError } from "../../../src/base/errors.ts";
import { defaultSettings } from "../../../src/management/contracts/settings.ts";
import { updateAccount } from "../../../src/management/db/tables/accounts.ts";
import { listEvents } from "../../../src/management/db/tables/audit-events.ts";
import { revokeLogin } from "../../../src/management/db/tables/logins.ts";
import { findPeer, listPeers, type PeerRow, updatePeer } from "../../../src/management/db/tables/peers.ts";
import { DenialCause } from "../../../src/management/login/denial.ts";
import { registerDevice } from "../../../src/management/login/register.ts";
import type { AccountSettings } from "../../../src/wire/account-settings.ts";
import type { RegisterRequest } from "../../../src/wire/client-api.ts";
import { signedBytes } from "../../../src/wire/signed-fields.ts";
import {
  aProofOf,
  aRegistration,
  type LoginLab,
  newKey,
  openLoginLab,
  type Registering,
} from "../../support/login-deps.ts";
import { aPeerOf, aTokenOf, aUserOf } from "../../support/management.ts";
import { NOW } from "../../support/tokens.ts";

const ADDRESS = "192.0.2.9";
let lab: LoginLab;
beforeEach(async () => {
  lab = await openLoginLab();
});

/** Keys and a proof for Anna. */
async function anna(deviceKey = newKey()): Promise<Registering> {
  const loginKey = newKey();
  const { idToken } = await aProofOf(loginKey);
  return { loginKey, deviceKey, proof: { kind: "id_token", idToken } };
}

/** Registers, and says what came of it: the peer's status, a denial's reason, or a code. */
async function outcome(who: Registering, bent: Partial<RegisterRequest> = {}): Promise<string> {
  try {
    return (await registerDevice(lab.deps, aRegistration(lab, who, bent), ADDRESS)).deviceStatus;
  } catch (error) {
    if (!isQfError(error)) return String(error);
    return error.cause instanceof DenialCause ? error.cause.reason : error.code;
  }
}

async function deviceOf(who: Registering): Promise<PeerRow> {
  const { peerId } = await registerDevice(lab.deps, aRegistration(lab, who), ADDRESS);
  const found = await lab.ctx.store.read((tx) => findPeer(tx, lab.account.id, peerId));
  if (found === undefined) throw new Error("no device");
  return found;
}

const set = (peerId: string, change: Parameters<typeof updatePeer>[3]) =>
  lab.ctx.store.transaction((tx) => updatePeer(tx, lab.account.id, peerId, change));

describe("a device", () => {
  test("is registered for its person, and found again by its key", async () => {
    const deviceKey = newKey();
    const first = await deviceOf(await anna(deviceKey));
    expect(first).toMatchObject({ kind: "device", ownerUserId: lab.anna.id, status: "active" });
    expect((await deviceOf(await anna(deviceKey))).id).toBe(first.id);
  });

  test("of the kind browser takes the place of the tenth, whose logins end; a laptop takes nobody's", async () => {
    const facts = { hostname: "chrome-linux", os: "browser", kernelVersion: "", version: "156" };
    const register = async (more: Partial<RegisterRequest> = {}): Promise<string> =>
      (await registerDevice(lab.deps, aRegistration(lab, await anna(), more), ADDRESS)).peerId;
    const first = await register({ facts });
    await set(first, { lastSeenAt: NOW - 60 });
    for (let count = 1; count < 10; count++) await register({ facts });
    await register();
    const devices = () => lab.ctx.store.read((tx) => listPeers(tx, lab.account.id));
    expect((await devices()).some(({ id }) => id === first)).toBe(true);
    await register({ facts });
    expect((await devices()).filter((peer) => peer.facts.os === "browser").length).toBe(10);
    expect((await devices()).some(({ id }) => id === first)).toBe(false);
  });

  const bad = signEd25519(newKey(), new Uint8Array(8));
  test.each<[string, Partial<RegisterRequest>]>([
    ["the device key's signature", { deviceSignature: bad }],
    ["the login key's signature", { loginSignature: bad }],
    ["a signature over this device key", { deviceKey: newKey().publicKey }],
    ["a signature over this time", { timeSeconds: NOW + 1 }],
  ])("is not registered without %s", async (_name, bent) => {
    expect(await outcome(await anna(), bent)).toBe("ERR_UNAUTHENTICATED");
  });

  test("is not registered by a request that was used", async () => {
    const request = aRegistration(lab, await anna());
    await registerDevice(lab.deps, request, ADDRESS);
    const again = await registerDevice(lab.deps, request, ADDRESS).catch((error: unknown) => error);
    expect(isQfError(again, "ERR_UNAUTHENTICATED")).toBe(true);
  });

  test("does not take a login over from another", async () => {
    const who = await anna();
    expect(await outcome(who)).toBe("active");
    expect(await outcome({ ...who, deviceKey: newKey() })).toBe("ERR_TOKEN_INVALID");
  });

  test("of one person is never another's, and a machine's key is no device", async () => {
    const deviceKey = newKey();
    const bert = await aUserOf(lab.ctx.store, lab.account.id);
    await aPeerOf(lab.ctx.store, lab.account.id, {
      kind: "device",
      deviceKey: deviceKey.publicKey,
      owner: bert,
    });
    expect(await outcome(await anna(deviceKey))).toBe("ERR_FORBIDDEN");
    const machineKey = newKey();
    const machine = { kind: "machine", deviceKey: machineKey.publicKey, owner: lab.anna } as const;
    await aPeerOf(lab.ctx.store, lab.account.id, machine);
    expect(await outcome(await anna(machineKey))).toBe("ERR_FORBIDDEN");
  });

  test("that is blocked stays so", async () => {
    const deviceKey = newKey();
    const { id } = await deviceOf(await anna(deviceKey));
    await set(id, { status: "blocked" });
    expect(await outcome(await anna(deviceKey))).toBe("device_blocked");
  });

  test.each<[string, Partial<AccountSettings>, readonly string[]]>([
    ["auto", { device_approval: "auto" }, ["active", "active"]],
    ["first", { device_approval: "first" }, ["active", "pending"]],
    ["admin", { device_approval: "admin" }, ["pending", "pending"]],
    [
      "NetBird's peer_approval_enabled",
      { extra: { peer_approval_enabled: true, network_traffic_logs_groups: [] } },
      ["pending", "pending"],
    ],
  ])(
    "waits for approval by the setting %s, and counts as in no group of its owner's",
    async (_name, change, want) => {
      const settings = { ...defaultSettings(), ...change };
      await lab.ctx.store.transaction((tx) => updateAccount(tx, lab.account.id, { settings }));
      const devices = [await deviceOf(await anna()), await deviceOf(await anna())];
      expect(devices.map(({ status }) => status)).toEqual(want as PeerRow["status"][]);
      expect(devices.map(({ ownerApproved }) => ownerApproved)).toEqual(want.map((one) => one === "active"));
    },
  );

  test("of a service user is its token's alone", async () => {
    const service = await aUserOf(lab.ctx.store, lab.account.id, { isServiceUser: true });
    const token = await aTokenOf(lab.ctx.store, service, { scope: "ssh" });
    const who = { loginKey: newKey(), deviceKey: newKey(), proof: { kind: "service_token", token } } as const;
    expect((await deviceOf(who)).ownerUserId).toBe(service.id);
    const other = await aTokenOf(lab.ctx.store, service, { scope: "api" });
    expect(await outcome({ ...who, loginKey: newKey(), proof: { ...who.proof, token: other } })).toBe(
      "ERR_TOKEN_INVALID",
    );
  });
});

describe("a vouch", () => {
  const machineKey = newKey();

  async function vouched(change: {
    readonly machine?: Parameters<typeof aPeerOf>[2];
    readonly status?: PeerRow["status"];
    readonly timeSeconds?: number;
    readonly signedDevice?: string;
    readonly key?: typeof machineKey;
    readonly uid?: number;
    readonly device?: typeof machineKey;
  }): Promise<string> {
    const { ctx, account } = lab;
    const machine = await aPeerOf(ctx.store, account.id, {
      deviceKey: machineKey.publicKey,
      ...change.machine,
    });
    if (change.status !== undefined) await set(machine.id, { status: change.status });
    const who = await anna(change.device);
    const said = { machinePeerId: machine.id, uid: 1000, timeSeconds: change.timeSeconds ?? NOW };
    const bytes = signedBytes(
      "vouch",
      { accountId: account.id, origin: ctx.origin },
      { deviceKey: change.signedDevice ?? who.deviceKey.publicKey, ...said },
    );
    const signature = signEd25519(change.key ?? machineKey, bytes);
    return outcome(who, { vouch: { ...said, uid: change.uid ?? said.uid, signature } });
  }

  test("of an active machine of now counts", async () => {
    expect(await vouched({})).toBe("active");
    expect(await vouched({ machine: { deviceKey: newKey().publicKey }, key: newKey() })).not.toBe("active");
  });

  test("is on record, and ends with the login it was given at", async () => {
    const { ctx, account } = lab;
    const of = () => ctx.store.read((tx) => listPeers(tx, account.id));
    const before = new Set((await of()).map(({ id }) => id));
    expect(await vouched({ machine: { deviceKey: machineKey.publicKey } })).toBe("active");
    const device = (await of()).find(({ id, kind }) => kind === "device" && !before.has(id));
    expect(device?.vouchedByPeerId).not.toBeNull();
    const events = await ctx.store.read((tx) => listEvents(tx, account.id, { limit: 100 }));
    const event = events.find(
      ({ activity, targetId }) => activity === "peer.vouch" && targetId === device?.id,
    );
    expect(event?.meta).toMatchObject({ machine: device?.vouchedByPeerId ?? "", uid: "1000" });
    await ctx.store.transaction((tx) => revokeLogin(tx, event?.meta.login ?? ""));
    expect((await of()).find(({ id }) => id === device?.id)?.vouchedByPeerId).toBeNull();
  });

  test("ends, on record, with a later registration of the device that comes without", async () => {
    const { ctx, account } = lab;
    const key = newKey();
    expect(await vouched({ device: key })).toBe("active");
    const device = await deviceOf(await anna(key));
    expect([device.vouchedByPeerId, device.vouch]).toEqual([null, null]);
    const events = await ctx.store.read((tx) => listEvents(tx, account.id, { limit: 100 }));
    const of = events.filter(({ targetId }) => targetId === device.id);
    const ends = of.filter(({ activity }) => activity === "peer.vouch.end");
    expect(ends.map(({ meta }) => meta.why)).toEqual(["not_renewed"]);
    expect(of.filter(({ activity }) => activity === "peer.vouch")).toHaveLength(1);
  });

  test.each<[string, Parameters<typeof vouched>[0], string]>([
    ["by another key", { key: newKey() }, "ERR_UNAUTHENTICATED"],
    ["for another device", { signedDevice: newKey().publicKey }, "ERR_UNAUTHENTICATED"],
    ["for another local user", { uid: 0 }, "ERR_UNAUTHENTICATED"],
    ["of two minutes ago", { timeSeconds: NOW - 120 }, "ERR_BAD_REQUEST"],
    ["from the future", { timeSeconds: NOW + 120 }, "ERR_BAD_REQUEST"],
    ["of a machine that is blocked", { status: "blocked" }, "ERR_UNAUTHENTICATED"],
    ["of a machine that waits for approval", { status: "pending" }, "ERR_UNAUTHENTICATED"],
    ["of a person's device", { machine: { kind: "device" } }, "ERR_UNAUTHENTICATED"],
  ])("%s is refused, not passed over", async (_name, change, want) => {
    expect(await vouched(change)).toBe(want);
  });
});
