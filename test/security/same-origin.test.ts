/**
 * A second person whose connection looks like an earlier one's from outside: same addresses, same ports. When
 * it is ended, nothing of the earlier one's is.
 */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import type { Client, ClientChannel } from "ssh2";
import type { StreamOrigin } from "../../src/agent/contracts/stream-origin.ts";
import { isRoot, OsAccount } from "../support/os-accounts.ts";
import { anId, aPeer, aRule, aUser } from "../support/policy.ts";
import { alivePids } from "../support/processes.ts";
import { type Credential, openTestSshServer, type TestSshServer } from "../support/ssh-server-context.ts";
import { signIn } from "../support/ssh-sign-in.ts";
import { until } from "../support/until.ts";

/** As the agent sees them: a port that a client has chosen, and two that are the same for many. */
const ORIGINS: [name: string, origin: Partial<StreamOrigin>][] = [
  [
    "the source port that a client chose",
    { sourceAddress: "203.0.113.7", sourcePort: 50_000, localAddress: "192.0.2.1", localPort: 22_022 },
  ],
  [
    "the constant of stdio",
    { path: "stdio", sourceAddress: "127.0.0.1", sourcePort: 0, localAddress: "127.0.0.1", localPort: 0 },
  ],
  [
    "the first port of the relay",
    { path: "relay", sourceAddress: "100.64.0.7", sourcePort: 1, localAddress: "100.64.0.9", localPort: 22 },
  ],
];

let world: TestSshServer;
let account: OsAccount;
let other: OsAccount;

describe.skipIf(!isRoot)("with another person's origin", () => {
  beforeEach(async () => {
    world = await openTestSshServer();
    account = new OsAccount("first");
    other = new OsAccount("second");
    world.change((map) => ({
      ...map,
      users: { ...map.users, [anId("mallory")]: aUser("mallory", ["devs"]) },
      peers: { ...map.peers, [anId("tablet")]: aPeer("tablet", ["devs"], { ownerUserId: anId("mallory") }) },
      rules: {
        [anId("rule")]: aRule("rule", ["devs"], "full", { capabilities: { local_forward: ["127.0.0.1:1"] } }),
      },
    }));
  });
  afterEach(async () => {
    await world.close();
    account[Symbol.dispose]();
    other[Symbol.dispose]();
  });

  function mallory(): Promise<Credential> {
    world.sourcePeerId = anId("tablet");
    const identity = { userId: anId("mallory"), subject: "mallory", devicePeerId: anId("tablet") };
    return world.issue({ identity, idTokenClaims: { sub: "mallory" } });
  }

  async function signedIn(credential: Credential, localUser: string): Promise<Client> {
    const { client, isIn } = await signIn(world, { ...credential, localUser });
    expect(isIn).toBe(true);
    client.on("error", () => {});
    return client;
  }

  /** Has the connection ended by the machine: by one refused forward more than one may have. */
  async function provoke(client: Client): Promise<void> {
    const closed = new Promise<void>((resolve) => client.once("close", () => resolve()));
    const forward = (port: number) =>
      new Promise<void>((resolve) => client.forwardOut("127.0.0.1", 1, "127.0.0.1", port, () => resolve()));
    // One that is allowed, so that there is something to end; then one more than may be refused.
    await forward(1);
    for (let left = 257; left > 0; left--) await Promise.race([forward(2), closed]);
    await closed;
    const refused = () => world.eventsOf("connection.close").some(({ reason }) => reason === "limit_reached");
    await until(refused);
  }

  describe.each(ORIGINS)("%s", (_name, origin) => {
    test.each(["another local user", "the same local user"])(
      "nobody ends what an earlier person has left running, as %s",
      async (whom) => {
        world.origin = origin;
        const first = await signedIn(await world.issue(), account.name);
        const { closed } = await start(first, "nohup setsid sleep 1000 >/dev/null 2>&1 & echo started");
        await closed;
        first.end();
        await until(() => world.server.sessions().length === 0 && alivePids(account).length === 1);
        const left = alivePids(account);
        await provoke(
          await signedIn(await mallory(), whom === "another local user" ? other.name : account.name),
        );
        expect(alivePids(account)).toEqual(left);
      },
    );

    test("nobody ends another person's live session", async () => {
      world.origin = origin;
      const first = await signedIn(await world.issue(), account.name);
      const { channel: session } = await start(first, "echo started; exec cat");
      const left = alivePids(account);
      expect(left).not.toEqual([]);
      await provoke(await signedIn(await mallory(), account.name));
      expect(alivePids(account)).toEqual(left);
      const echoed = new Promise((resolve) =>
        session.once("data", (data: Buffer) => resolve(data.toString())),
      );
      session.write("still here\n");
      expect(await echoed).toBe("still here\n");
      first.end();
    });
  });
});

/** Runs `command`, which says when it has begun. */
async function start(client: Client, command: string) {
  return new Promise<{ channel: ClientChannel; closed: Promise<void> }>((resolve, reject) => {
    client.exec(command, (error, channel) => {
      if (error) return reject(error);
      // What follows may be in the same packet.
      const closed = new Promise<void>((isOver) => channel.once("close", () => isOver()));
      channel.once("data", () => resolve({ channel, closed }));
    });
  });
}
