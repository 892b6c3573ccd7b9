/**
 * Machines reached by IPv6: the built-in client, OpenSSH with a handed-over descriptor, and the relay after
 * it.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { networkInterfaces } from "node:os";
import { join } from "node:path";
import { renderDropIn } from "../../src/proxy/ssh-config/drop-in.ts";
import type { Lab, LabAgent, LabDevice } from "../support/lab.ts";
import { isRoot, type OsAccount } from "../support/os-accounts.ts";
import { runProcess } from "../support/run-process.ts";
import { openSetUp, type SetUp } from "../support/set-up.ts";

const hasIpv6 = Object.values(networkInterfaces()).some((all) =>
  all?.some(({ address }) => address === "::1"),
);
if (!hasIpv6) process.stderr.write("skipped: no IPv6 on this machine\n");

describe.skipIf(!isRoot || !hasIpv6)("a machine with an IPv6 address", () => {
  let setUp: SetUp;
  let lab: Lab;
  let deploy: OsAccount;
  let web: LabAgent;
  let laptop: LabDevice;
  let at: string;

  beforeAll(async () => {
    setUp = await openSetUp({ accounts: [["deploy"]], machines: { web1: ["--listen", "[::1]:0"] } });
    ({ lab, account: deploy, agent: web, device: laptop } = setUp);
    at = `${deploy.name}@web1.qf.internal`;
  }, 120_000);

  afterAll(async () => {
    await setUp?.[Symbol.asyncDispose]();
  });

  test("is reached there directly, and its sessions say so", async () => {
    const [listen] = (await web.status()).sshServer.listen;
    expect(listen).toMatch(/^\[::1\]:\d+$/);
    const { stdout, stderr } = await laptop.ssh(["-v", at, "echo $SSH_CONNECTION"]);
    expect(stderr).toContain(`qf: debug: connected directly to ${listen} after `);
    expect(stdout).toMatch(/^::1 \d+ ::1 \d+\n$/);
  });

  test("is reached by OpenSSH as well", async () => {
    const config = join(lab.root, "config");
    const { configDir } = laptop;
    const { executable } = lab;
    writeFileSync(config, renderDropIn({ executable, domain: "qf.internal", configDir, shortNames: false }));
    const env = lab.env(laptop.env());
    const { stdout } = await runProcess(["ssh", "-F", config, at, "echo $SSH_CONNECTION"], { env });
    expect(stdout).toMatch(/^::1 \d+ ::1 \d+\n$/);
  });

  test("that listens everywhere is reached by both kinds of address", async () => {
    await web.up(["--listen", "[::]:0"]);
    const status = await web.status();
    const port = /:(\d+)$/.exec(status.sshServer.listen[0] ?? "")?.[1];
    expect(status.sshServer.advertised).toContain(`[::1]:${port}`);
    expect(status.sshServer.advertised).toContain(`127.0.0.1:${port}`);
    for (const host of ["127.0.0.1", "::1"]) {
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      const socket = await Bun.connect({
        hostname: host,
        port: Number(port),
        socket: { open: () => resolve(), connectError: (_socket, error) => reject(error), data() {} },
      });
      await promise;
      socket.end();
    }
    expect((await laptop.ssh([at, "echo here"])).stdout).toBe("here\n");
  });

  test("is reached through the relay when the address is gone", async () => {
    await web.up(["--listen", "none"]);
    const result = await lab.until("the relay", async () => {
      const found = await laptop.ssh(["-v", at, "echo here"]);
      return found.stderr.includes("connected through the relay") && found;
    });
    expect(result.stdout).toBe("here\n");
  });
});
