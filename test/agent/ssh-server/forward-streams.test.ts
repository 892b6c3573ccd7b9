/** Many forwarded streams of one connection, all asked for before one is answered. */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { type Echo, startEcho } from "../../support/echo.ts";
import { isRoot, OsAccount } from "../../support/os-accounts.ts";
import { openTestSshServer, type TestSshServer } from "../../support/ssh-server-context.ts";
import { signIn } from "../../support/ssh-sign-in.ts";

/** More than a connection may have, so that some are refused. */
const STREAMS = 240;

describe.skipIf(!isRoot)("forwarded streams at once", () => {
  let world: TestSshServer;
  let account: OsAccount;
  let echo: Echo;
  beforeEach(async () => {
    account = new OsAccount("many");
    echo = await startEcho();
    world = await openTestSshServer({});
  });
  afterEach(async () => {
    await world.close();
    await echo[Symbol.asyncDispose]();
    account[Symbol.dispose]();
  });

  test("each of 240 is answered, by a stream that works or by a refusal", async () => {
    const { client, isIn } = await signIn(world, { ...(await world.issue()), localUser: account.name });
    expect(isIn).toBe(true);
    const ask = () =>
      new Promise<"carried" | "refused" | "lost">((resolve) => {
        client.forwardOut("127.0.0.1", 1, "127.0.0.1", echo.port, (error, channel) => {
          if (error) return resolve("refused");
          let said = "";
          channel.on("data", (data: Buffer) => {
            said += data.toString();
          });
          channel.once("close", () => resolve(said === "hello bye" ? "carried" : "lost"));
          channel.end("hello ");
        });
      });
    const answers = await Promise.all(Array.from({ length: STREAMS }, ask));
    expect(answers.filter((answer) => answer === "lost")).toEqual([]);
    expect(answers).toContain("carried");
    client.end();
  }, 120_000);
});
