/** Clients that take and do not give, signed in or not: memory stays flat, and others are served. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { connect, type Socket } from "node:net";
import type { Limits } from "../../../src/agent/contracts/limits.ts";
import { SshWriter } from "../../../src/base/ssh-buffer.ts";
import { type Ssh2Protocol, sendMessage } from "../../../src/sshcore/ssh2-internals.ts";
import { growth, leastGrowth } from "../../support/memory-growth.ts";
import { isRoot, OsAccount } from "../../support/os-accounts.ts";
import { anId } from "../../support/policy.ts";
import { channelOpen, kexInit, plainPacket } from "../../support/raw-ssh.ts";
import { openTestSshServer, type TestSshServer } from "../../support/ssh-server-context.ts";
import { signIn } from "../../support/ssh-sign-in.ts";
import { until } from "../../support/until.ts";

let world: TestSshServer;
let account: OsAccount;
const sockets: Socket[] = [];
beforeAll(() => {
  if (isRoot) account = new OsAccount("flood");
});
afterAll(() => account?.[Symbol.dispose]());
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await world.close();
});

async function open(limits: Partial<Limits> = {}): Promise<void> {
  world = await openTestSshServer({ limits });
}

/** Somebody who is signed in, and from then on says what it is told and answers nothing. */
async function signedIn() {
  const { client, isIn } = await signIn(world, { ...(await world.issue()), localUser: account.name });
  expect(isIn).toBe(true);
  const inside = client as unknown as {
    _protocol: Ssh2Protocol & { inspectPayload: (payload: Buffer) => undefined };
    _sock: Socket;
  };
  sockets.push(inside._sock);
  const counts = new Map<number, number>();
  let dataBytes = 0;
  inside._protocol.inspectPayload = (payload) => {
    const type = payload[0] ?? 0;
    counts.set(type, (counts.get(type) ?? 0) + 1);
    if (type === 94) dataBytes += payload.length - 9;
    return undefined;
  };
  client.on("error", () => {});
  return {
    socket: inside._sock,
    send: (...payloads: Buffer[]) => {
      for (const payload of payloads) sendMessage(inside._protocol, payload);
    },
    count: (type: number) => counts.get(type) ?? 0,
    dataBytes: () => dataBytes,
  };
}

const exec = (recipient: number, command: string): Buffer =>
  new SshWriter().uint8(98).uint32(recipient).text("exec").bool(true).text(command).toBuffer();

/** Somebody else signs in, runs a command and gets its answer. */
async function isServed(): Promise<void> {
  const { client, isIn } = await signIn(world, { ...(await world.issue()), localUser: account.name });
  expect(isIn).toBe(true);
  const output = await new Promise<string>((resolve) => {
    let text = "";
    client.exec("echo served", (_error, stream) => {
      stream?.on("data", (data: Buffer) => {
        text += data;
      });
      stream?.on("close", () => resolve(text));
    });
  });
  expect(output).toBe("served\n");
  client.end();
}

function strangers(count: number, say: Buffer | string): Socket[] {
  return Array.from({ length: count }, () => {
    const socket = connect(world.port, "127.0.0.1");
    sockets.push(socket);
    socket.on("error", () => {}).write(say);
    return socket;
  });
}

describe.skipIf(!isRoot)("memory stays flat and others are served", () => {
  test("while ten commands write without end to a window of 4 GiB that nobody reads", async () => {
    await open();
    await isServed();
    const greedy = await signedIn();
    const grown = await growth(async () => {
      for (let id = 0; id < 10; id++) {
        greedy.send(channelOpen("session", id, { window: 0xffff_ffff }), exec(id, "exec yes"));
      }
      await until(() => greedy.dataBytes() > 0);
      greedy.socket.pause();
      await Bun.sleep(700);
      await isServed();
    });
    expect(grown).toBeLessThan(96);
  });

  test("while ten commands write without end to windows of nothing", async () => {
    await open();
    await isServed();
    const idle = await signedIn();
    const grown = await growth(async () => {
      for (let id = 0; id < 10; id++) {
        idle.send(channelOpen("session", id, { window: 0 }), exec(id, "exec yes"));
      }
      await until(() => idle.count(99) === 10);
      await Bun.sleep(500);
      await isServed();
    });
    expect(idle.dataBytes()).toBe(0);
    expect(grown).toBeLessThan(64);
    // A window is taken as far as it goes, and no further.
    idle.send(new SshWriter().uint8(93).uint32(0).uint32(1_000).toBuffer());
    await until(() => idle.dataBytes() === 1_000);
    await Bun.sleep(100);
    expect(idle.dataBytes()).toBe(1_000);
  });

  test("while a client sends to commands that read nothing", async () => {
    await open();
    await isServed();
    const sender = await signedIn();
    const piece = Buffer.alloc(32_768, 0x61);
    const grown = await growth(async () => {
      for (let id = 0; id < 10; id++) {
        sender.send(channelOpen("session", id), exec(id, "exec sleep 60"));
      }
      await until(() => sender.count(99) === 10);
      for (let id = 0; id < 10; id++) {
        // As much as one may before the other side gives more.
        for (let sent = 0; sent < 63; sent++) {
          sender.send(new SshWriter().uint8(94).uint32(id).string(piece).toBuffer());
        }
      }
      await Bun.sleep(500);
      await isServed();
    });
    expect(sender.socket.destroyed).toBe(false);
    expect(grown).toBeLessThan(128);
  });

  test("while sessions and forwards are asked for without end", async () => {
    await open({ refusalsMax: 100_000 });
    world.flags = { ...world.flags, sshLocalForwarding: false };
    await isServed();
    const asking = await signedIn();
    const forward = (sender: number) =>
      new SshWriter().uint8(90).text("direct-tcpip").uint32(sender).uint32(1_000_000).uint32(32_768);
    const flood = Array.from({ length: 200 }, (_, id) =>
      id % 2 === 0
        ? channelOpen("session", id)
        : forward(id).text("127.0.0.1").uint32(1).text("127.0.0.1").uint32(1).toBuffer(),
    );
    const rounds = async (count: number): Promise<void> => {
      for (let round = 0; round < count; round++) {
        const answered = asking.count(91) + asking.count(92);
        asking.send(...flood);
        await until(() => asking.count(91) + asking.count(92) >= answered + flood.length);
        world.events.length = 0;
      }
    };
    await rounds(5);
    const grown = await leastGrowth(4, async () => {
      await rounds(5);
      await isServed();
    });
    expect(asking.count(91)).toBe(10);
    expect(grown).toBeLessThan(12);
  });

  test("while hundreds of strangers announce a packet and do not send it", async () => {
    await open({ startsPerSourceMax: 200 });
    world.sourcePeerId = null;
    await isServedFromElsewhere();
    const announced = Buffer.alloc(6);
    announced.writeUInt32BE(34_996);
    const grown = await growth(async () => {
      const say = Buffer.concat([Buffer.from("SSH-2.0-raw\r\n"), plainPacket(kexInit()), announced]);
      strangers(400, say);
      await Bun.sleep(500);
      await isServedFromElsewhere();
    });
    // 200 of them at most, each with a key exchange and one packet's room.
    expect(grown).toBeLessThan(96);
  });

  test("while thousands of connections come from one source", async () => {
    await open({ startsPerSourceMax: 64 });
    world.sourcePeerId = null;
    const rounds = async (count: number): Promise<void> => {
      for (let round = 0; round < count; round++) {
        const flood = strangers(250, "SSH-2.0-raw\r\n");
        // All but those that have a place are closed at once.
        await until(() => flood.filter((socket) => socket.closed).length >= 250 - 64);
        await isServedFromElsewhere();
        for (const socket of sockets.splice(0)) socket.destroy();
        await until(() => flood.every((socket) => socket.closed));
      }
    };
    await rounds(2);
    expect(await growth(() => rounds(8))).toBeLessThan(48);
  }, 180_000);
});

/** The others come as a device that said hello. */
async function isServedFromElsewhere(): Promise<void> {
  world.sourcePeerId = anId("laptop");
  await isServed();
  world.sourcePeerId = null;
}
