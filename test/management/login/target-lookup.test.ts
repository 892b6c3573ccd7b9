/** Where a machine is, asked by a device alone. Every refusal is one step from an answer. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../../../src/base/clock.ts";
import { generateEd25519, signEd25519 } from "../../../src/base/ed25519.ts";
import { isQfError } from "../../../src/base/errors.ts";
import { createClientApi } from "../../../src/client/client-api.ts";
import { askNamesAs } from "../../../src/client/target.ts";
import { updatePeer } from "../../../src/management/db/tables/peers.ts";
import { updateUser } from "../../../src/management/db/tables/users.ts";
import { sentenceOf } from "../../../src/policy/sentences.ts";
import { signedBytes } from "../../../src/wire/signed-fields.ts";
import { aPeerRow, type TestPeer } from "../../support/peer-row.ts";
import { startTestManagement, type TestManagement } from "../../support/running-management.ts";

const folder = mkdtempSync(join(tmpdir(), "qf-test-"));
const initiator = { id: "test", name: "test", email: "" };
let management: TestManagement;
let machine: TestPeer;
let laptop: TestPeer;
let other: TestPeer;

beforeAll(async () => {
  management = await startTestManagement(join(folder, "data"));
  const [laptops, servers] = [await management.addGroup("Laptops"), await management.addGroup("Servers")];
  machine = await aPeerRow(management, { name: "web1", kind: "machine", groups: [servers] });
  laptop = await aPeerRow(management, { name: "laptop", kind: "device", groups: [laptops] });
  other = await aPeerRow(management, { name: "other", kind: "device", groups: [] });
  await management.addPolicy({ protocol: "tcp", ports: ["22"], sources: [laptops], destinations: [servers] });
});

afterAll(async () => {
  await management.close();
  rmSync(folder, { recursive: true, force: true });
});

interface Ask {
  readonly device?: TestPeer;
  readonly target?: string;
  readonly key?: TestPeer["key"];
  readonly signed?: Record<string, string | number>;
  readonly challenge?: string;
  readonly ageSeconds?: number;
}

async function ask({ device = laptop, target = "web1", key = device.key, ...bent }: Ask = {}) {
  const api = createClientApi({ url: management.url });
  const fields = {
    challenge: bent.challenge ?? (await api.challenge()).challenge,
    devicePeerId: device.row.id,
    target,
    timeSeconds: Math.floor(Date.now() / 1000) - (bent.ageSeconds ?? 0),
  };
  const scope = { accountId: management.accountId, origin: management.url };
  const deviceSignature = signEd25519(key, signedBytes("target", scope, { ...fields, ...bent.signed }));
  return api.target({ ...fields, deviceSignature });
}

async function refusal(asked: Promise<unknown>): Promise<string> {
  const error = await asked.catch((thrown: unknown) => thrown);
  return isQfError(error) ? `${error.code}: ${error.message}` : `no QfError: ${String(error)}`;
}

async function change(fn: Parameters<typeof management.context.store.change<unknown>>[1]): Promise<void> {
  const { store } = management.context;
  await store.change({ accountId: management.accountId, initiator, affectsMaps: true }, fn);
}

const CLOSED = "ERR_ACCESS_DENIED: No policy lets this device reach this peer";

describe("where a machine is", () => {
  test("is told to a device that may reach it, by name, full name, address and id", async () => {
    const { id, address } = machine.row;
    for (const target of ["web1", "web1.qf.internal", address, id]) {
      const { target: found } = await ask({ target });
      expect(found).toMatchObject({ peerId: id, name: "web1.qf.internal", address, connected: false });
    }
  });

  test("is not told to a device that no rule lets reach it, as if it were not there", async () => {
    expect(await refusal(ask({ device: other }))).toBe(CLOSED);
    expect(await refusal(ask({ device: other, target: "web9" }))).toBe(CLOSED);
    expect(await refusal(ask({ target: "web9" }))).toBe(CLOSED);
    const { activity_code, meta } = (await management.events()).at(-1) ?? {};
    expect(activity_code).toBe("peer.lookup.refuse");
    expect(meta).toMatchObject({ code: "ERR_ACCESS_DENIED", what: "web9" });
  });

  test("of a device is told to nobody", async () => {
    expect(await refusal(ask({ target: "other" }))).toBe(CLOSED);
  });

  test.each<[name: string, bent: Ask, code: string]>([
    ["another device's key", { key: generateEd25519() }, "ERR_UNAUTHENTICATED"],
    ["a signature over another name", { signed: { target: "web2" } }, "ERR_UNAUTHENTICATED"],
    ["a challenge nobody gave", { challenge: "A".repeat(43) }, "ERR_UNAUTHENTICATED"],
    ["a clock two minutes behind", { ageSeconds: 120 }, "ERR_BAD_REQUEST"],
  ])("is refused to %s", async (_name, bent, code) => {
    expect(await refusal(ask(bent))).toStartWith(code);
  });

  test("is refused to a device that nobody registered, in words that help", async () => {
    const unknown = { ...laptop, row: { ...laptop.row, id: "z".repeat(20) } };
    expect(await refusal(ask({ device: unknown }))).toBe(
      "ERR_LOGIN_REQUIRED: this device is not registered here",
    );
  });

  test("is refused to a challenge used before", async () => {
    const { challenge } = await createClientApi({ url: management.url }).challenge();
    await ask({ challenge });
    expect(await refusal(ask({ challenge }))).toStartWith("ERR_UNAUTHENTICATED");
  });

  test("is refused to a blocked device, and to a blocked person's", async () => {
    const { accountId } = management;
    await change((tx) => updatePeer(tx, accountId, laptop.row.id, { status: "blocked" }));
    expect(await refusal(ask())).toBe(`ERR_ACCESS_DENIED: ${sentenceOf("device_blocked").sentence}`);
    const ada = await management.addPerson({ email: "ada@example.com", password: "correct horse" });
    const owned = { status: "active", ownerUserId: ada.id } as const;
    await change((tx) => updatePeer(tx, accountId, laptop.row.id, owned));
    expect((await ask()).target.peerId).toBe(machine.row.id);
    await change((tx) => updateUser(tx, accountId, ada.id, { isBlocked: true }));
    expect(await refusal(ask())).toBe("ERR_ACCESS_DENIED: User is blocked");
    await change((tx) => updateUser(tx, accountId, ada.id, { isBlocked: false, pendingApproval: true }));
    expect(await refusal(ask())).toStartWith("ERR_ACCESS_DENIED: ");
    await change((tx) => updateUser(tx, accountId, ada.id, { pendingApproval: false }));
    expect((await ask()).target.peerId).toBe(machine.row.id);
  });

  test("says that SSH is disabled to those only who could reach it", async () => {
    const { accountId } = management;
    await change((tx) => updatePeer(tx, accountId, machine.row.id, { sshEnabled: false }));
    expect(await refusal(ask())).toBe(`ERR_ACCESS_DENIED: ${sentenceOf("ssh_disabled").sentence}`);
    expect(await refusal(ask({ device: other }))).toBe(CLOSED);
    await change((tx) => updatePeer(tx, accountId, machine.row.id, { sshEnabled: true }));
  });
});

test.each([
  ["blocked", "This peer is blocked"],
  ["pending", "This peer is waiting for approval"],
] as const)("a %s machine is named as such to those only who could reach it", async (status, sentence) => {
  const { accountId } = management;
  await change((tx) => updatePeer(tx, accountId, machine.row.id, { status }));
  expect(await refusal(ask())).toBe(`ERR_ACCESS_DENIED: ${sentence}`);
  expect(await refusal(ask({ device: other }))).toBe(CLOSED);
  await change((tx) => updatePeer(tx, accountId, machine.row.id, { status: "active" }));
});

describe("names without the domain", () => {
  async function askNames(device: TestPeer, key = device.key, signed: Record<string, string | number> = {}) {
    const api = createClientApi({ url: management.url });
    const { challenge } = await api.challenge();
    const fields = {
      challenge,
      devicePeerId: device.row.id,
      timeSeconds: Math.floor(Date.now() / 1000),
    };
    const scope = { accountId: management.accountId, origin: management.url };
    const deviceSignature = signEd25519(key, signedBytes("names", scope, { ...fields, ...signed }));
    return api.names({ ...fields, deviceSignature });
  }

  test("are those of machines that are confirmed and may be reached, for each device its own", async () => {
    const { accountId } = management;
    expect(await askNames(laptop)).toEqual({ domain: "qf.internal", names: [] });
    await change((tx) => updatePeer(tx, accountId, machine.row.id, { nameConfirmed: true }));
    expect((await askNames(laptop)).names).toEqual(["web1"]);
    expect((await askNames(other)).names).toEqual([]);
    await change((tx) => updatePeer(tx, accountId, machine.row.id, { status: "blocked" }));
    expect((await askNames(laptop)).names).toEqual([]);
    await change((tx) => updatePeer(tx, accountId, machine.row.id, { status: "active" }));
    await change((tx) => updatePeer(tx, accountId, machine.row.id, { nameConfirmed: false }));
    expect((await askNames(laptop)).names).toEqual([]);
  });

  test("come with every machine that may be reached, where addresses are asked for", async () => {
    const { accountId } = management;
    const { dnsName: name, address } = machine.row;
    const ask = (device: TestPeer) =>
      askNamesAs(
        {
          api: createClientApi({ url: management.url }),
          clock: systemClock,
          deviceKey: device.key,
          scope: { accountId, origin: management.url },
          devicePeerId: device.row.id,
        },
        "yes",
      );
    expect(await ask(laptop)).toEqual({ domain: "qf.internal", names: [], machines: [{ name, address }] });
    expect((await ask(other)).machines).toEqual([]);
    await change((tx) => updatePeer(tx, accountId, machine.row.id, { status: "blocked" }));
    expect((await ask(laptop)).machines).toEqual([]);
    await change((tx) => updatePeer(tx, accountId, machine.row.id, { status: "active" }));
    expect((await askNames(laptop)).machines).toBeUndefined();
  });

  test("are refused to another key, another purpose, a device nobody knows, and a blocked one", async () => {
    expect(await refusal(askNames(laptop, generateEd25519()))).toStartWith("ERR_UNAUTHENTICATED");
    expect(await refusal(askNames(laptop, laptop.key, { target: "web1" }))).toStartWith(
      "ERR_UNAUTHENTICATED",
    );
    const unknown = { ...laptop, row: { ...laptop.row, id: "z".repeat(20) } };
    expect(await refusal(askNames(unknown))).toStartWith("ERR_LOGIN_REQUIRED");
    const { accountId } = management;
    await change((tx) => updatePeer(tx, accountId, laptop.row.id, { status: "blocked" }));
    expect(await refusal(askNames(laptop))).toBe(
      `ERR_ACCESS_DENIED: ${sentenceOf("device_blocked").sentence}`,
    );
    await change((tx) => updatePeer(tx, accountId, laptop.row.id, { status: "active" }));
  });
});
