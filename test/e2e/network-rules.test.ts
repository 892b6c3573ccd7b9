/**
 * Whether a device reaches a machine's SSH at all, decided by a real agent: each rule that opens beside the
 * nearest one that does not. The agent is asked by a hello, so nobody else has a say in it.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { knock } from "../support/knock.ts";
import { type Lab, type LabAgent, type LabDevice, openLab } from "../support/lab.ts";

describe("a machine's network rules", () => {
  let lab: Lab;
  let web: LabAgent;
  let laptop: LabDevice;
  let laptops: string;
  let servers: string;
  let policyId: string;

  beforeAll(async () => {
    lab = await openLab();
    servers = await lab.createGroup("Servers");
    web = await lab.startAgent("web1", { groups: [servers] });
    laptop = lab.device(await lab.createPerson("ada@example.com"), "laptop");
    await laptop.login();
    const devices = await lab.api<{ id: string; kind: string }[]>("GET", "/api/peers");
    laptops = await lab.createGroup("Laptops", [devices.find(({ kind }) => kind === "device")?.id ?? ""]);
    policyId = (await lab.createPolicy("net", [laptops], [servers], TCP_22)).id;
  }, 120_000);

  afterAll(async () => {
    await lab?.[Symbol.asyncDispose]();
  });

  const TCP_22 = { protocol: "tcp", ports: ["22"] };

  async function put(rule: Record<string, unknown>, checks: readonly string[] = []): Promise<void> {
    const sides = { sources: [laptops], destinations: [servers] };
    const common = { name: "net", enabled: true, action: "accept", bidirectional: false };
    const rules = [{ ...common, ...sides, ...rule }];
    const body = { name: "net", enabled: true, source_posture_checks: checks, rules };
    await lab.api("PUT", `/api/policies/${policyId}`, body);
  }

  /** Until the machine has heard of it; what it says then stays so. */
  async function expectKnock(wanted: "answer" | "silence", port = 22): Promise<void> {
    await lab.until(`${wanted} at ${port}`, async () => (await knock(laptop, web, port)) === wanted);
    expect(await knock(laptop, web, port)).toBe(wanted);
  }

  const back = () => ({ sources: [servers], destinations: [laptops] });
  test.each<[name: string, open: () => object, closed: () => object]>([
    ["tcp 22, not 23", () => TCP_22, () => ({ protocol: "tcp", ports: ["23"] })],
    [
      "a range around 22, not one beside it",
      () => ({ protocol: "tcp", port_ranges: [{ start: 20, end: 30 }] }),
      () => ({ protocol: "tcp", port_ranges: [{ start: 23, end: 30 }] }),
    ],
    ["every protocol, not udp", () => ({ protocol: "all" }), () => ({ protocol: "udp" })],
    ["SSH, not icmp", () => ({ protocol: "qufabric-ssh" }), () => ({ protocol: "icmp" })],
    ["an enabled rule, not a disabled one", () => TCP_22, () => ({ ...TCP_22, enabled: false })],
    ["accept, not drop", () => TCP_22, () => ({ ...TCP_22, action: "drop" })],
    [
      "the way back of a bidirectional rule, not of another",
      () => ({ ...TCP_22, ...back(), bidirectional: true }),
      () => ({ ...TCP_22, ...back() }),
    ],
    [
      "the way back of tcp, not of SSH",
      () => ({ ...TCP_22, ...back(), bidirectional: true }),
      () => ({ protocol: "qufabric-ssh", ...back(), bidirectional: true }),
    ],
  ])(
    "open by %s",
    async (_name, open, closed) => {
      await put({ ...open() });
      await expectKnock("answer");
      await put({ ...closed() });
      await expectKnock("silence");
    },
    30_000,
  );

  test("open 22022 by 22, and not 22 by 22022", async () => {
    await put(TCP_22);
    await expectKnock("answer", 22_022);
    await put({ protocol: "tcp", ports: ["22022"] });
    await expectKnock("silence", 22);
    await expectKnock("answer", 22_022);
  }, 30_000);

  test("close by a drop beside what opens", async () => {
    await put(TCP_22);
    await expectKnock("answer");
    const drop = { protocol: "all", action: "drop" };
    const { id } = await lab.createPolicy("no", [laptops], [servers], drop);
    await expectKnock("silence");
    await lab.api("DELETE", `/api/policies/${id}`);
    await expectKnock("answer");
  }, 30_000);

  test.each<[name: string, met: object, unmet: object]>([
    [
      "the version of qf",
      { nb_version_check: { min_version: "0.0.1" } },
      { nb_version_check: { min_version: "99.0.0" } },
    ],
    [
      "the system",
      { os_version_check: { linux: { min_kernel_version: "1.0" } } },
      { os_version_check: { darwin: { min_version: "1.0" } } },
    ],
    [
      "the kernel",
      { os_version_check: { linux: { min_kernel_version: "1.0" } } },
      { os_version_check: { linux: { min_kernel_version: "99.0" } } },
    ],
    [
      "an address within a range",
      { peer_network_range_check: { ranges: ["127.0.0.0/8"], action: "allow" } },
      { peer_network_range_check: { ranges: ["127.0.0.0/8"], action: "deny" } },
    ],
    [
      "another address",
      { peer_network_range_check: { ranges: ["203.0.113.0/24"], action: "deny" } },
      { peer_network_range_check: { ranges: ["203.0.113.0/24"], action: "allow" } },
    ],
  ])(
    "judge by %s",
    async (name, met, unmet) => {
      const check = { name, description: "", checks: met };
      const { id } = await lab.api<{ id: string }>("POST", "/api/posture-checks", check);
      await put(TCP_22, [id]);
      await expectKnock("answer");
      await lab.api("PUT", `/api/posture-checks/${id}`, { ...check, checks: unmet });
      await expectKnock("silence");
    },
    30_000,
  );
});
