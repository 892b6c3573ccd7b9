/** Management moves to another address, which machines and devices follow by the word of the log's key. */
import { expect, test } from "bun:test";
import { isRoot } from "../support/os-accounts.ts";
import { openSetUp } from "../support/set-up.ts";

test.skipIf(!isRoot)(
  "a machine and a device follow to the new address, and say so; the old one answers them meanwhile",
  async () => {
    await using setUp = await openSetUp({ accounts: [["move"]], machines: { web1: [], web2: [] } });
    const { lab, account, agent, device } = setUp;
    const other = setUp.machine("web2");
    const old = lab.url;
    const { port } = new URL(old);
    const moved = `http://localhost:${port}`;
    const run = (args: readonly string[], url = "") => device.qf(args, { env: { QF_MANAGEMENT_URL: url } });
    const ssh = () => run(["ssh", `${account.name}@web1`, "echo in"]);
    expect((await run(["login", "--ssh-jwt-cache-ttl", "3600"], old)).exitCode).toBe(0);
    expect((await run(["login", "--management-url", old, "--ssh-jwt-cache-ttl", "3600"])).exitCode).toBe(0);
    expect((await ssh()).stdout).toBe("in\n");

    await other.down();
    await lab.management?.stop();
    await lab.serveManagement(["--public-url", moved, "--move"]);
    expect(lab.url).toBe(moved);

    await lab.until(
      "the machine",
      async () => {
        const { management } = await agent.status();
        return management.connected && management.url === moved;
      },
      60_000,
    );
    const [event] = (await lab.events()).filter((one) => one.activity_code === "management.move");
    expect(event?.meta).toMatchObject({ from: old, to: moved });

    // Root may say so as well, without a setup key.
    await other.up(["--management-url", moved]);
    await lab.until("the other machine", async () => (await other.status()).management.connected, 60_000);

    // The device asks at the old address, is told once, and goes on at the new one after a sign-in there.
    const first = await ssh();
    expect(first.exitCode).toBe(255);
    expect(first.stderr).toContain(`qf: warning: management has moved from ${old} to ${moved}`);
    expect(await ssh()).toMatchObject({ exitCode: 0, stdout: "in\n" });
    const whoami = await run(["whoami"]);
    expect([whoami.exitCode, whoami.stdout]).toEqual([0, expect.stringContaining(moved)]);

    // A restart is without the flag, and the machine starts at the new address.
    await lab.management?.stop();
    await lab.serveManagement(["--public-url", moved]);
    await agent.kill();
    await agent.up([]);
    await lab.until("the machine again", async () => (await agent.status()).management.connected, 60_000);
    expect((await agent.status()).management.url).toBe(moved);
    const moves = (await lab.events("limit=1000")).filter((one) => one.activity_code === "management.move");
    expect(moves).toHaveLength(1);
  },
  300_000,
);
