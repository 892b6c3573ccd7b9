/** A connection that is no longer allowed ends whole, within a second, and says why. */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import type { Client, ClientChannel } from "ssh2";
import { isRoot, OsAccount } from "../../support/os-accounts.ts";
import { unpaired } from "../../support/paired-events.ts";
import { anId, aRule, aUser } from "../../support/policy.ts";
import { alivePids } from "../../support/processes.ts";
import { openTestSshServer, type TestSshServer } from "../../support/ssh-server-context.ts";
import { signIn } from "../../support/ssh-sign-in.ts";
import { until } from "../../support/until.ts";

let world: TestSshServer;
let account: OsAccount;

describe.skipIf(!isRoot)("a live connection", () => {
  beforeEach(async () => {
    world = await openTestSshServer();
    account = new OsAccount("rev");
  });
  afterEach(async () => {
    await world.close();
    expect(unpaired(world.events)).toEqual([]);
    account[Symbol.dispose]();
  });

  const BUSY =
    "setsid sleep 60 & (trap '' TERM HUP; sleep 61 & wait) & while :; do echo busy; sleep 0.01; done";

  test.each([
    [
      "its policy is deleted",
      "User is not authorized to access this peer",
      "peer_not_authorized",
      () => world.change((map) => ({ ...map, rules: {} })),
    ],
    [
      "its rule is disabled",
      "User is not authorized to access this peer",
      "peer_not_authorized",
      () =>
        world.change((map) => ({
          ...map,
          rules: { [anId("rule")]: aRule("rule", ["devs"], "full", { enabled: false }) },
        })),
    ],
    [
      "its user is blocked",
      "User is blocked",
      "user_blocked",
      () =>
        world.change((map) => ({
          ...map,
          users: { [anId("alice")]: aUser("alice", ["devs"], { status: "blocked" }) },
        })),
    ],
    [
      "its user leaves the group",
      "User is not authorized to access this peer",
      "peer_not_authorized",
      () => world.change((map) => ({ ...map, users: { [anId("alice")]: aUser("alice", []) } })),
    ],
    [
      "its device is removed",
      "This device may not reach this peer",
      "device_unknown",
      () => world.change((map) => ({ ...map, peers: {} })),
    ],
    [
      "SSH is turned off for the peer",
      "SSH is disabled for this peer",
      "ssh_disabled",
      () => world.change((map) => ({ ...map, self: { ...map.self, sshEnabled: false } })),
    ],
    [
      "a flag is turned off",
      "SSH is disabled for this peer",
      "ssh_disabled",
      () => {
        world.flags = { ...world.flags, sshServer: false };
        world.server.recheck();
      },
    ],
    [
      "the map gets too old",
      "has not heard from management",
      "map_stale",
      () => {
        world.mapAgeSeconds = 3601;
      },
    ],
    [
      "an administrator kills it",
      "by order",
      "session_killed",
      () => {
        const [live] = world.server.sessions();
        world.server.kill(live?.connectionId ?? "", "by order");
      },
    ],
  ] as const)("ends whole when %s", async (_name, sentence, reason, change) => {
    const { closed, channel, text } = await busy(BUSY);
    await until(() => alivePids(account).length > 3);
    change();
    await closed;
    await until(() => alivePids(account).length === 0);
    expect(text()).toContain("Access revoked: ");
    expect(text()).toContain(sentence);
    await until(() => world.eventsOf("connection.close").length === 1);
    expect(world.eventsOf("connection.close")[0]?.reason).toBe(reason);
    expect(world.server.sessions()).toEqual([]);
    channel.destroy();
  });

  test("says so on its terminal", async () => {
    const { closed, text } = await busy("echo ready; exec sleep 60", true);
    world.change((map) => ({ ...map, rules: {} }));
    await closed;
    expect(text()).toContain("\r\nAccess revoked: ");
    await until(() => alivePids(account).length === 0);
  });

  test("goes on through changes that do not concern it", async () => {
    const { client, text } = await busy("echo ready; while :; do sleep 0.05; done");
    world.change((map) => ({
      ...map,
      rules: { ...map.rules, [anId("more")]: aRule("more", ["ops"], "full") },
    }));
    world.change((map) => ({ ...map, users: { ...map.users, [anId("bob")]: aUser("bob", []) } }));
    await Bun.sleep(200);
    expect(world.server.sessions()).toHaveLength(1);
    expect(text()).not.toContain("revoked");
    client.end();
  });

  test("ends when what it does is no longer granted, though it could still sign in", async () => {
    const { closed } = await busy("echo ready; while :; do sleep 0.05; done");
    const rule = aRule("rule", ["devs"], "full", { capabilities: { commands: ["/usr/bin/uptime"] } });
    world.change((map) => ({ ...map, rules: { [rule.id]: rule } }));
    await closed;
    await until(() => world.eventsOf("connection.close").length === 1);
    expect(world.eventsOf("connection.close")[0]?.reason).toBe("command_not_allowed");
  });

  test.each([
    ["its longest time", { max_session_seconds: 1 }, "session_time_over", true],
    ["its longest silence", { idle_timeout_seconds: 1 }, "session_idle", false],
  ] as const)("ends after %s", async (_name, capabilities, reason, isBusy) => {
    const rule = aRule("rule", ["devs"], "full", { capabilities });
    world.map = { ...world.map, rules: { [rule.id]: rule } };
    const loop = isBusy ? "while :; do echo x; sleep 0.05; done" : "sleep 60";
    const { closed } = await busy(`echo ready; ${loop}`);
    await closed;
    await until(() => world.eventsOf("connection.close").length === 1);
    expect(world.eventsOf("connection.close")[0]?.reason).toBe(reason);
  });

  test.each([
    ["longest time", { max_session_seconds: 1 }, "session_time_over"],
    ["longest silence", { idle_timeout_seconds: 1 }, "session_idle"],
  ] as const)("ends after a %s that its rule was given meanwhile", async (_name, capabilities, reason) => {
    await busy("echo ready; exec sleep 60");
    const rule = aRule("rule", ["devs"], "full", { capabilities });
    world.change((map) => ({ ...map, rules: { [rule.id]: rule } }));
    await until(() => world.eventsOf("connection.close").length === 1);
    expect(world.eventsOf("connection.close")[0]?.reason).toBe(reason);
  });

  const only = aRule("first", ["devs"], "full", { capabilities: { commands: ["/usr/bin/uptime"] } });
  const under = (...rules: ReturnType<typeof aRule>[]) =>
    Object.fromEntries(rules.map((rule) => [rule.id, rule]));

  test.each([
    ["longest time", { max_session_seconds: 1 }, "session_time_over"],
    ["longest silence", { idle_timeout_seconds: 1 }, "session_idle"],
  ] as const)("ends after the %s of the rule that lets it run what it runs", async (_name, limit, reason) => {
    const rule = aRule("second", ["devs"], "full", { capabilities: limit });
    world.map = { ...world.map, rules: under(only, rule) };
    await busy("echo ready; exec sleep 60");
    await until(() => world.eventsOf("connection.close").length === 1);
    expect(world.eventsOf("connection.close")[0]?.reason).toBe(reason);
  });

  test("goes on for as long as one rule lets it, whatever others say", async () => {
    const limited = aRule("first", ["devs"], "full", {
      capabilities: { max_session_seconds: 1, idle_timeout_seconds: 1 },
    });
    world.map = { ...world.map, rules: under(limited, aRule("second", ["devs"], "full")) };
    const { client } = await busy("echo ready; exec sleep 60");
    await Bun.sleep(2_500);
    expect(world.server.sessions()).toHaveLength(1);
    client.end();
  });

  test("that changes files ends when they may only be read, and not before no rule lets it", async () => {
    const write = aRule("write", ["devs"], "full");
    const read = aRule("read", ["devs"], "full", { capabilities: { sftp: "read" } });
    world.map = { ...world.map, rules: under(write) };
    const { client } = await signIn(world, { ...(await world.issue()), localUser: account.name });
    client.on("error", () => {});
    await new Promise<void>((resolve, reject) =>
      client.sftp((error) => (error === undefined ? resolve() : reject(error))),
    );
    world.change((map) => ({ ...map, rules: under(read, write) }));
    await Bun.sleep(50);
    expect(world.server.sessions()).toHaveLength(1);
    world.change((map) => ({ ...map, rules: under(read) }));
    await until(() => world.eventsOf("connection.close").length === 1);
    expect(world.eventsOf("connection.close")[0]?.reason).toBe("sftp_read_only");
    await until(() => alivePids(account).length === 0);
  });

  test("with a terminal ends when no rule grants one with what it runs", async () => {
    await busy("echo ready; exec sleep 60", true);
    const bare = aRule("bare", ["devs"], "full", { capabilities: { pty: false } });
    world.change((map) => ({ ...map, rules: under(only, bare) }));
    await until(() => world.eventsOf("connection.close").length === 1);
    expect(world.eventsOf("connection.close")[0]?.reason).toBe("pty_not_allowed");
  });

  test("is not idle while it is used", async () => {
    const rule = aRule("rule", ["devs"], "full", { capabilities: { idle_timeout_seconds: 1 } });
    world.map = { ...world.map, rules: { [rule.id]: rule } };
    const { client } = await busy(
      "echo ready; for i in 1 2 3 4 5 6 7 8; do sleep 0.25; echo x; done; sleep 60",
    );
    await Bun.sleep(1_500);
    expect(world.server.sessions()).toHaveLength(1);
    client.end();
  });

  test("ends when its grant does", async () => {
    const { closed } = await busy("echo ready; exec sleep 60");
    const endSeconds = Math.floor(Date.now() / 1000) + 1;
    const rule = aRule("rule", ["devs"], "full", { validUntilSeconds: endSeconds });
    world.change((map) => ({ ...map, rules: { [rule.id]: rule } }));
    await closed;
    expect(Date.now()).toBeGreaterThanOrEqual(endSeconds * 1000);
    await until(() => world.eventsOf("connection.close").length === 1);
    expect(world.eventsOf("connection.close")[0]?.reason).toBe("outside_schedule");
  });

  test("ends with the server, which waits until nothing is left", async () => {
    await busy(BUSY);
    await world.server.close();
    expect(alivePids(account)).toEqual([]);
    expect(world.server.sessions()).toEqual([]);
  });
});

/** A session that is running `command`; `text` is all it has shown, `closed` the end of its connection. */
async function busy(
  command: string,
  hasTerminal = false,
): Promise<{ client: Client; channel: ClientChannel; closed: Promise<void>; text: () => string }> {
  const { client } = await signIn(world, { ...(await world.issue()), localUser: account.name });
  client.on("error", () => {});
  const closed = new Promise<void>((resolve) => client.once("close", () => resolve()));
  const channel = await new Promise<ClientChannel>((resolve, reject) => {
    client.exec(command, hasTerminal ? { pty: true } : {}, (error, opened) =>
      error === undefined ? resolve(opened) : reject(error),
    );
  });
  let text = "";
  channel.on("data", (data: Buffer) => {
    text += data.toString();
  });
  channel.stderr.on("data", (data: Buffer) => {
    text += data.toString();
  });
  await until(() => text.length > 0);
  return { client, channel, closed, text: () => text };
}
