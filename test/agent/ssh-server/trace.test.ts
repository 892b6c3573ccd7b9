/**
 * The log of a connection: one line when it opens, one when it ends, its story at debug, and never a secret.
 */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import type { Client } from "ssh2";
import { keepingLog, type Logged } from "../../support/kernel-context.ts";
import { isRoot, OsAccount } from "../../support/os-accounts.ts";
import { anId } from "../../support/policy.ts";
import { openTestSshServer, type TestSshServer } from "../../support/ssh-server-context.ts";
import { signIn } from "../../support/ssh-sign-in.ts";
import { until } from "../../support/until.ts";

let world: TestSshServer;
let account: OsAccount;
let lines: Logged[];

describe.skipIf(!isRoot)("the log of a connection", () => {
  beforeEach(async () => {
    const kept = keepingLog();
    lines = kept.lines;
    world = await openTestSshServer({ log: kept.log });
    account = new OsAccount("trace");
  });
  afterEach(async () => {
    await world.close();
    account[Symbol.dispose]();
  });

  const at = (level: Logged["level"]) => lines.filter((line) => line.level === level);
  const who = () => ({
    ...{ person: "alice@example.com", device: "laptop.qf.internal", localUser: account.name },
    ...{ rule: anId("rule"), path: "direct" },
  });

  async function signedIn(): Promise<Client> {
    const { client, isIn } = await signIn(world, { ...(await world.issue()), localUser: account.name });
    expect(isIn).toBe(true);
    client.on("error", () => {});
    return client;
  }

  function run(client: Client, command: string): Promise<void> {
    return new Promise((resolve) => {
      client.exec(command, { env: { LC_TOKEN: "hidden-value" } }, (_error, channel) => {
        channel.resume().once("close", () => resolve());
      });
    });
  }

  test("has one line of info when it opens, and one when it ends", async () => {
    const client = await signedIn();
    await run(client, "head -c 5000 /dev/zero");
    client.end();
    await until(() => at("info").length === 2);
    const [opened, ended] = at("info");
    const connectionId = opened?.fields.connectionId;
    expect(opened).toEqual({
      ...{ level: "info", message: "connection opened", fields: { connectionId, ...who() } },
    } as Logged);
    expect(ended).toMatchObject({
      message: "connection ended",
      fields: { connectionId, ...who(), reason: "ended" },
    });
    expect(ended?.fields.bytesOut).toBeGreaterThan(5_000);
    expect(ended?.fields.bytesIn).toBeGreaterThan(100);
    expect(ended?.fields.durationMs).toBeGreaterThanOrEqual(0);
  });

  test("says why the machine has ended it", async () => {
    const client = await signedIn();
    const closed = new Promise<void>((resolve) => client.once("close", () => resolve()));
    world.change((map) => ({ ...map, rules: {} }));
    await closed;
    await until(() => at("info").length === 2);
    expect(at("info")[1]).toMatchObject({
      message: "connection ended",
      fields: { reason: "peer_not_authorized" },
    });
  });

  test("has no line of info for who is not let in, and the reason at debug", async () => {
    world.change((map) => ({ ...map, rules: {} }));
    const { client, isIn } = await signIn(world, { ...(await world.issue()), localUser: account.name });
    expect(isIn).toBe(false);
    client.end();
    await until(() => at("debug").some(({ fields }) => fields.to === "closed"));
    expect(at("info")).toEqual([]);
    expect(lines).toContainEqual(
      expect.objectContaining({
        message: "refused",
        fields: expect.objectContaining({ action: "connect", reason: "peer_not_authorized" }),
      }),
    );
  });

  test("tells its whole story at debug, each line with its id, and no command, value or key", async () => {
    const client = await signedIn();
    await run(client, "echo secret-word");
    await new Promise<void>((resolve) => client.forwardOut("127.0.0.1", 1, "127.0.0.1", 1, () => resolve()));
    client.end();
    await until(() => at("debug").some(({ fields }) => fields.to === "closed"));
    const story = at("debug").map(({ message, fields }) =>
      [message, fields.to ?? fields.type ?? fields.action ?? ""].join(" ").trim(),
    );
    const inOrder = [
      ...["connection", "state authenticating", "state deciding", "began connect", "state open"],
      ...["channel session", "began exec", "ended exec", "channel direct-tcpip", "began local_forward"],
      ...["ended local_forward", "state closed", "ended connect"],
    ];
    expect(story).toEqual(inOrder);
    const ids = new Set(at("debug").map(({ fields }) => fields.connectionId));
    expect([...ids]).toEqual([at("info")[0]?.fields.connectionId]);
    const began = at("debug").find(({ message, fields }) => message === "began" && fields.action === "exec");
    expect(began?.fields.rule).toBe(anId("rule"));
    const text = JSON.stringify(lines);
    for (const secret of ["secret-word", "echo", "hidden-value", "PRIVATE", "eyJ"]) {
      expect(text).not.toContain(secret);
    }
  });
});
