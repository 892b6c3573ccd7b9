/** The rules of --intercept in the packet filter, as nft(8) reads them back. */
import { expect, test } from "bun:test";
import { FilterError } from "../../../src/agent/os/netlink.ts";
import { openRedirectTable, removeLeftGuard } from "../../../src/agent/os/redirect-table.ts";
import { describeInOwnNetwork } from "../../support/own-network.ts";
import { anId } from "../../support/policy.ts";

const PEER = anId("bastion");
const nft = (...words: string[]) => Bun.spawnSync(["nft", ...words]).stdout.toString();
const elementsOf = (name: string) =>
  [...nft("list", "ruleset").matchAll(new RegExp(`set ${name} \\{[^}]*elements = \\{([^}]*)\\}`, "g"))].map(
    ([, elements = ""]) => elements.trim().split(/\s*,\s*/),
  );

describeInOwnNetwork(import.meta.path, "the tables", () => {
  test("say what is redirected, and refuse the same while nobody takes it", () => {
    const table = openRedirectTable(PEER, 40_123);
    table.set({ uids: [1_000, 70_000], addresses: ["100.64.0.5", "100.64.255.6"] });
    const rules = nft("list", "ruleset");
    const match = "meta skuid @users ip daddr @machines tcp dport @ports";
    expect(rules).toContain(`table ip qufabric-${PEER} {`);
    for (const said of ["flags owner", "type nat hook output priority -100"]) expect(rules).toContain(said);
    expect(rules).toContain(`${match} redirect to :40123`);
    expect(rules).toContain(`${match} reject with tcp reset`);
    for (const users of elementsOf("users")) expect(users).toEqual(["1000", "70000"]);
    for (const machines of elementsOf("machines")) expect(machines).toEqual(["100.64.0.5", "100.64.255.6"]);
    expect(elementsOf("ports")).toEqual([
      ["22", "22022"],
      ["22", "22022"],
    ]);
    table.set({ uids: [1_001], addresses: [] });
    expect(elementsOf("users")).toEqual([["1001"], ["1001"]]);
    expect(elementsOf("machines")).toEqual([]);
    table.close();
    expect(nft("list", "ruleset")).toBe("");
  });

  test("hold as many machines as an account may have", () => {
    const table = openRedirectTable(PEER, 40_123);
    const addresses = Array.from({ length: 5_000 }, (_, i) => `100.70.${i >> 8}.${i & 255}`);
    table.set({ uids: [1_000], addresses });
    expect(elementsOf("machines").map((list) => list.length)).toEqual([5_000, 5_000]);
    table.close();
  });

  test("of two agents do not meet", () => {
    const one = openRedirectTable(PEER, 40_123);
    const other = openRedirectTable(anId("other"), 40_124);
    other.close();
    removeLeftGuard(anId("other"));
    expect(nft("list", "tables").trim().split("\n")).toHaveLength(2);
    one.close();
  });

  test("leave only what refuses when they are let go of, which is taken away later", () => {
    const lost = `const { openRedirectTable } = await import(process.argv[1]);
      openRedirectTable(process.argv[2], 40123).set({ uids: [1000], addresses: ["100.64.0.5"] });
      process.kill(process.pid, "SIGKILL");`;
    const source = new URL("../../../src/agent/os/redirect-table.ts", import.meta.url).pathname;
    Bun.spawnSync([process.execPath, "-e", lost, source, PEER]);
    expect(nft("list", "tables").trim()).toBe(`table ip qufabric-guard-${PEER}`);
    const again = openRedirectTable(PEER, 40_125);
    expect(elementsOf("users")).toEqual([]);
    again.close();
    Bun.spawnSync([process.execPath, "-e", lost, source, PEER]);
    removeLeftGuard(PEER);
    expect(nft("list", "tables")).toBe("");
    removeLeftGuard(PEER);
  });

  test("are refused with the kernel's number where a name is taken", () => {
    Bun.spawnSync(["nft", "add", "table", "ip", `qufabric-${PEER}`]);
    Bun.spawnSync(["nft", "add", "chain", "ip", `qufabric-${PEER}`, "output"]);
    expect(() => openRedirectTable(PEER, 40_123)).toThrow(FilterError);
    expect(nft("list", "tables").trim()).toBe(`table ip qufabric-${PEER}`);
    nft("delete", "table", "ip", `qufabric-${PEER}`);
  });
});
