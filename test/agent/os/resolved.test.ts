import { expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { forgetResolved, tellResolved } from "../../../src/agent/os/resolved.ts";
import { tempFolder } from "../../support/temp-folder.ts";
import { withTools } from "../../support/tools.ts";

const PEER = "d0000000abcdefghijkl";
const LINK = "qf-bcdefghijkl";
const NAMES = { address: "127.64.0.2", port: 53, domain: "qf.internal" };
const STUB = "nameserver 127.0.0.53\n";

interface Machine {
  readonly runs?: boolean;
  readonly resolvConf?: string;
  readonly nsswitch?: string;
  readonly links?: readonly string[];
}

function aMachine({ runs = true, resolvConf = STUB, nsswitch = "hosts: files dns\n", links = [] }: Machine) {
  const folder = tempFolder();
  const files = {
    socket: join(folder, "socket"),
    resolvConf: join(folder, "resolv.conf"),
    nsswitch: join(folder, "nsswitch.conf"),
    interfaces: join(folder, "net"),
  };
  if (runs) writeFileSync(files.socket, "");
  writeFileSync(files.resolvConf, resolvConf);
  writeFileSync(files.nsswitch, nsswitch);
  for (const link of ["", ...links]) mkdirSync(join(files.interfaces, link), { recursive: true });
  return files;
}

test("resolved is told of the server for that domain only, on an interface of its own", async () => {
  const calls = await withTools(["ip", "resolvectl"], async () => {
    expect(await tellResolved(PEER, NAMES, aMachine({}))).toBe(true);
  });
  expect(`${LINK}p`.length).toBeLessThanOrEqual(15);
  expect(calls[0]).toBe(`ip link add ${LINK} type dummy`);
  expect(calls).toContain(`resolvectl domain ${LINK} ~qf.internal`);
  expect(calls).toContain(`resolvectl default-route ${LINK} no`);
  expect(calls.at(-1)).toBe(`resolvectl dns ${LINK} 127.64.0.2`);
});

test("another port is said, and what a killed agent left goes first", async () => {
  const machine = aMachine({ links: [LINK] });
  const calls = await withTools(["ip", "resolvectl"], async () => {
    expect(await tellResolved(PEER, { ...NAMES, port: 5353 }, machine)).toBe(true);
  });
  expect(calls[0]).toBe(`ip link delete ${LINK}`);
  expect(calls.at(-1)).toBe(`resolvectl dns ${LINK} 127.64.0.2:5353`);
});

test.each<[what: string, machine: Machine, isTold: boolean]>([
  ["does not run", { runs: false }, false],
  ["is asked by nobody", { resolvConf: "nameserver 192.0.2.1\n" }, false],
  [
    "is asked by a module of the C library",
    { resolvConf: "", nsswitch: "hosts: files resolve [!UNAVAIL=return] dns\n" },
    true,
  ],
  ["has a stub that asks nobody else", { resolvConf: "nameserver 127.0.0.54\n" }, true],
  ["stands in a comment", { resolvConf: "# nameserver 127.0.0.53\nnameserver 192.0.2.1\n" }, false],
])("resolved that %s", async (_what, machine, isTold) => {
  const calls = await withTools(["ip", "resolvectl"], async () => {
    expect(await tellResolved(PEER, NAMES, aMachine(machine))).toBe(isTold);
  });
  if (!isTold) expect(calls).toEqual([]);
});

test("a machine whose resolved cannot be told keeps no interface", async () => {
  const machine = aMachine({ links: [LINK] });
  const before = process.env.PATH;
  const calls = await withTools(["ip"], async () => {
    // Only what is in the first folder is there: `resolvectl` is not.
    process.env.PATH = `${process.env.PATH?.split(":")[0]}:/usr/bin/nowhere`;
    expect(await tellResolved(PEER, NAMES, machine)).toBe(false);
  }).finally(() => {
    process.env.PATH = before;
  });
  expect(calls.at(-1)).toBe(`ip link delete ${LINK}`);
});

test("there is nothing to forget where nobody was told", async () => {
  const calls = await withTools(["ip"], () => forgetResolved(PEER, aMachine({})));
  expect(calls).toEqual([]);
});
