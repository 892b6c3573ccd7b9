/** Management away: the stored map decides, for as long as the account allows, and then nobody comes in. */
import { expect, test } from "bun:test";
import { connect } from "node:net";
import { sentenceOf } from "../../src/policy/sentences.ts";
import { isRoot } from "../support/os-accounts.ts";
import { openSetUp } from "../support/set-up.ts";
import { sshPort } from "../support/ssh-trap.ts";

test.skipIf(!isRoot)(
  "live connections go on and end when the map is too old, uid 0 first; then all is caught up",
  async () => {
    await using setUp = await openSetUp({
      accounts: [["away"]],
      policies: [{ logins: ["away", "root"] }],
      machines: {},
      login: false,
    });
    const { lab, account, servers, device } = setUp;
    const [settings] = await lab.api<{ settings: Record<string, unknown> }[]>("GET", "/api/accounts");
    const change = { ...settings?.settings, max_stale_seconds: 30, max_stale_root_seconds: 10 };
    await lab.api("PUT", `/api/accounts/${lab.accountId}`, { settings: change });
    const args = ["--allow-offline-logins", "--enable-ssh-root"];
    const agent = await lab.startAgent("web1", { groups: [servers], args });
    await device.login();
    await lab.until(
      "access",
      async () => (await device.ssh([`${account.name}@web1`, "true"])).exitCode === 0,
    );

    const terminal = device.terminal(["ssh", `${account.name}@web1`]);
    await terminal.expect(/\$ $/);
    const asRoot = device.terminal(["ssh", "root@web1"]);
    await asRoot.expect(/# $/);
    await lab.management?.kill();
    terminal.type("echo al''ive\r");
    await terminal.expect(/alive/);
    await lab.until("the link to be down", async () => !(await agent.status()).management.connected);
    // While the map is fresh enough the kept login is good for new connections as well.
    expect((await device.ssh([`${account.name}@web1`, "echo", "in"])).stdout).toBe("in\n");

    expect(await asRoot.end(30_000)).toBe(255);
    expect(asRoot.text).toContain(sentenceOf("map_stale").sentence);
    expect((await device.ssh(["root@web1", "true"])).stderr).toContain(sentenceOf("map_stale").sentence);
    terminal.type("echo st''ill\r");
    await terminal.expect(/still/);

    expect(await terminal.end(60_000)).toBe(255);
    expect(terminal.text).toContain(sentenceOf("map_stale").sentence);
    expect((await agent.status()).problems.join()).toContain(
      "the network map is too old: nothing is allowed",
    );
    const refused = await device.ssh([`${account.name}@web1`, "echo", "in"]);
    expect(refused).toMatchObject({ exitCode: 255, stdout: "" });
    expect(refused.stderr).toContain(sentenceOf("map_stale").sentence);

    // The port answers nothing to those who say nothing valid.
    const port = await sshPort(agent);
    for (const words of ["SSH-2.0-OpenSSH_9.2\r\n", "QUFABRIC/1 x y\n", "GET / HTTP/1.1\r\n\r\n"]) {
      const answer = await new Promise<number>((resolve) => {
        const socket = connect({ host: "127.0.0.1", port }, () => socket.write(words));
        let bytes = 0;
        socket.on("data", (chunk) => {
          bytes += chunk.length;
        });
        socket.on("close", () => resolve(bytes));
        socket.on("error", () => resolve(bytes));
      });
      expect(answer).toBe(0);
    }

    await lab.serveManagement();
    await lab.until("the link", async () => (await agent.status()).management.connected, 45_000);
    expect((await device.ssh([`${account.name}@web1`, "echo", "back"])).stdout).toBe("back\n");
    // What happened meanwhile is told, in order and whole.
    await lab.until("the evidence", async () => {
      const events = await lab.events("limit=1000");
      const closed = events.filter(({ activity_code }) => activity_code === "ssh.connection.close");
      return (
        events.some(({ meta }) => meta.offline === "true") &&
        closed.filter(({ meta }) => meta.reason === "map_stale").length === 2 &&
        events.every(({ activity_code }) => activity_code !== "agent.gap")
      );
    });
  },
  150_000,
);
