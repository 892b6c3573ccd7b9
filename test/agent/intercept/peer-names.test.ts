import { expect, test } from "bun:test";
import { Resolver } from "node:dns/promises";
import { PeerNames } from "../../../src/agent/intercept/peer-names.ts";
import { silentLog } from "../../../src/base/log.ts";
import { anId } from "../../support/policy.ts";
import { withTools } from "../../support/tools.ts";

const SELF = { peerId: anId("self"), address: "100.64.91.7" };

test("names that were never given leave nothing to take back", async () => {
  const names = new PeerNames({ self: SELF, log: silentLog });
  const calls = await withTools(["ip", "resolvectl"], () => names.set(null, []));
  expect([calls, names.server]).toEqual([[], null]);
});

test("a machine that this one may not reach any more has no name; without a domain nothing answers", async () => {
  const names = new PeerNames({ self: SELF, log: silentLog });
  // Without a machine there is nothing that /etc/hosts of this system would be written for.
  await withTools(["ip", "resolvectl"], () => names.set("qf.test", []));
  const { address = "", port = 0 } = names.server ?? {};
  expect(address).toBe("127.64.91.7");
  const resolver = new Resolver();
  resolver.setServers([`${address}:${port}`]);
  const code = await resolver.resolve4("web1.qf.test").catch((error: unknown) => error);
  expect(code).toMatchObject({ code: "ENOTFOUND" });
  await withTools(["ip", "resolvectl"], () => names.set(null, []));
  expect(names.server).toBeNull();
});
