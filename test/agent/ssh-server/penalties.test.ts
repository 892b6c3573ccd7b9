/** Sources that keep failing have to wait, and nobody else does. */
import { afterEach, describe, expect, test } from "bun:test";
import { connect } from "node:net";
import type { Limits } from "../../../src/agent/contracts/limits.ts";
import { generateEd25519 } from "../../../src/base/ed25519.ts";
import { parsePenalties } from "../../../src/wire/ssh-limits.ts";
import { isRoot } from "../../support/os-accounts.ts";
import { anId } from "../../support/policy.ts";
import { kexInit, keyedClient, plainPacket, plausible } from "../../support/raw-ssh.ts";
import { openTestSshServer, type TestSshServer } from "../../support/ssh-server-context.ts";
import { signIn } from "../../support/ssh-sign-in.ts";
import { until } from "../../support/until.ts";

let world: TestSshServer;
afterEach(() => world.close());

/** Each offence owes enough by itself. */
async function open(penalties: string, limits: Partial<Limits> = {}): Promise<void> {
  world = await openTestSshServer({ limits });
  world.penalties =
    parsePenalties(`authfail:0 noauth:0 grace-exceeded:0 protocol-error:0 ${penalties}`) ?? null;
}

/** All that the server says to `bytes` until it ends the connection, or until it has said `until`. */
async function hear(bytes = "", until?: string): Promise<string> {
  const socket = connect(world.port, "127.0.0.1");
  let heard = "";
  const over = new Promise<void>((resolve) => {
    socket.on("close", () => resolve());
    socket.on("data", (data) => {
      heard += data.toString("latin1");
      if (until !== undefined && heard.includes(until)) resolve();
    });
  });
  socket.on("error", () => {}).write(Buffer.from(bytes, "latin1"));
  await over;
  socket.destroy();
  return heard;
}

async function isRefused(): Promise<boolean> {
  return (await hear("", "\r\n")) === "Not allowed at this time\r\n";
}

async function becomesRefused(): Promise<void> {
  await until("the refusal", isRefused);
}

/** A sign-in with a key that is not the certified one. */
async function failToSignIn(): Promise<void> {
  const forged = { ...(await world.issue()), localUser: "root", signWith: generateEd25519() };
  const { client, isIn } = await signIn(world, forged);
  expect(isIn).toBe(false);
  const closed = new Promise<void>((resolve) => client.once("close", () => resolve()));
  client.end();
  await closed;
}

describe.skipIf(!isRoot)("a source has to wait after", () => {
  test("signing in as nobody, and others do not", async () => {
    await open("authfail:15s");
    await failToSignIn();
    await becomesRefused();
    world.sourcePeerId = null;
    expect(await hear("", "\r\n")).toMatch(/^SSH-2\.0-OpenSSH_9\.9p2 QuFabric_\S+\r\n/);
  });

  test.each([
    ["a message out of its place", plainPacket(plausible(90))],
    ["a packet that is too long", plainPacket(Buffer.alloc(40_000, 20))],
    ["no packet at all", Buffer.alloc(64, 0xff)],
  ])("breaking the protocol by %s", async (_name, wrong) => {
    await open("protocol-error:15s");
    await hear(`SSH-2.0-raw\r\n${wrong.toString("latin1")}`);
    await becomesRefused();
  });

  test.each(["", "SSH-2.0-silent\r\n"])("%j and silence", async (said) => {
    await open("grace-exceeded:15s", { graceMs: 200 });
    await hear(said);
    await becomesRefused();
  });

  test("connecting for nothing, where it brought no device", async () => {
    await open("noauth:15s");
    world.sourcePeerId = null;
    await hear("", "SSH-2.0");
    await becomesRefused();
    world.sourcePeerId = anId("laptop");
    for (let i = 0; i < 3; i++) await hear("", "SSH-2.0");
    expect(await isRefused()).toBe(false);
  });

  test("beginning a key exchange for nothing, whoever it is", async () => {
    await open("noauth:15s");
    const begun = plainPacket(kexInit()).toString("latin1");
    await hear(`SSH-2.0-raw\r\n${begun}`, "SSH-2.0");
    await becomesRefused();
  });

  test("enough of it, and not before", async () => {
    await open("authfail:5s");
    for (let i = 0; i < 2; i++) await failToSignIn();
    expect(await isRefused()).toBe(false);
    // Time takes a little of it away meanwhile.
    for (let i = 0; i < 2; i++) await failToSignIn();
    await becomesRefused();
  });
});

describe.skipIf(!isRoot)("nobody has to wait", () => {
  test("for a denial of somebody who is proven", async () => {
    await open("authfail:15s protocol-error:15s");
    world.flags = { ...world.flags, sshServer: false };
    const { client, isIn } = await signIn(world, { ...(await world.issue()), localUser: "root" });
    expect(isIn).toBe(false);
    client.end();
    await Bun.sleep(200);
    expect(await isRefused()).toBe(false);
  });

  test("for knowing other algorithms than we do, or hanging up", async () => {
    await open("protocol-error:15s authfail:15s");
    const other = plainPacket(kexInit({ kex: "diffie-hellman-group1-sha1" }));
    await hear(`SSH-2.0-raw\r\n${other.toString("latin1")}`);
    await hear("SSH-2.0-raw\r\n", "SSH-2.0");
    await Bun.sleep(200);
    expect(await isRefused()).toBe(false);
  });

  test("for having been signed in, however it ends", async () => {
    await open("authfail:15s noauth:15s protocol-error:15s");
    const { client, isIn } = await signIn(world, { ...(await world.issue()), localUser: "root" });
    expect(isIn).toBe(true);
    const closed = new Promise<void>((resolve) => client.once("close", () => resolve()));
    client.on("error", () => {}).destroy();
    await closed;
    await Bun.sleep(100);
    expect(await isRefused()).toBe(false);
  });

  test("once penalties are off", async () => {
    await open("authfail:15s");
    await failToSignIn();
    await becomesRefused();
    world.penalties = null;
    const { client, isIn } = await signIn(world, { ...(await world.issue()), localUser: "root" });
    expect(isIn).toBe(true);
    client.end();
  });
});

test.skipIf(!isRoot)("whoever is on stays on while their device has to wait", async () => {
  await open("authfail:15s");
  const { client, isIn } = await signIn(world, { ...(await world.issue()), localUser: "root" });
  expect(isIn).toBe(true);
  await failToSignIn();
  await becomesRefused();
  expect(world.server.sessions()).toHaveLength(1);
  client.end();
});

test.skipIf(!isRoot)("a refused source is read nothing of and is evidence, in few words", async () => {
  await open("authfail:15s");
  await failToSignIn();
  await becomesRefused();
  for (let i = 0; i < 20; i++) await hear("SSH-2.0-raw\r\n");
  await expect(keyedClient(world.port, "keyed")).rejects.toThrow();
  await world.server.close();
  const limited = world.eventsOf("auth.failed").filter(({ reason }) => reason === "limit_reached");
  expect(limited).toHaveLength(1);
  expect(limited[0]?.count).toBeGreaterThanOrEqual(20);
});
