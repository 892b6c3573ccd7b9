import { expect, test } from "bun:test";
import { Resolver } from "node:dns/promises";
import { loopbackOf, openNameServer } from "../../../src/agent/intercept/name-server.ts";
import { silentLog } from "../../../src/base/log.ts";

const SELF = "100.64.7.9";
const ZONE = { domain: "qf.test", addresses: new Map([["web1.qf.test", "100.64.0.2"]]) };

test("the name server of a machine is at a loopback address of its own", () => {
  expect([loopbackOf("100.64.7.9"), loopbackOf("100.127.0.1")]).toEqual(["127.64.7.9", "127.127.0.1"]);
});

test("it answers what it was given last, and two at one port stand beside each other", async () => {
  const first = await openNameServer({ self: SELF, log: silentLog }, [0]);
  // The port is held: it takes another.
  const second = await openNameServer({ self: SELF, log: silentLog }, [first.port, 0]);
  try {
    expect(second.port).not.toBe(first.port);
    first.set(ZONE);
    second.set({ ...ZONE, addresses: new Map() });
    expect(await addressesAt(first)).toEqual(["100.64.0.2"]);
    expect(await addressesAt(second)).toBe("ENOTFOUND");
    second.set(ZONE);
    expect(await addressesAt(second)).toEqual(["100.64.0.2"]);
  } finally {
    first.close();
    second.close();
  }
});

test("where port 53 is taken it listens on one that only root may bind, and on none else", async () => {
  const self = "100.64.7.10";
  const first = await openNameServer({ self, log: silentLog });
  const second = await openNameServer({ self, log: silentLog });
  try {
    expect(second.port).not.toBe(first.port);
    expect(Math.max(first.port, second.port)).toBeLessThan(1024);
    expect(openNameServer({ self, log: silentLog }, [first.port, second.port])).rejects.toMatchObject({
      code: "EADDRINUSE",
    });
  } finally {
    first.close();
    second.close();
  }
});

async function addressesAt({ address, port }: { readonly address: string; readonly port: number }) {
  const resolver = new Resolver();
  resolver.setServers([`${address}:${port}`]);
  return await resolver
    .resolve4("web1.qf.test")
    .catch((error: unknown) => (error instanceof Error && "code" in error ? error.code : error));
}
