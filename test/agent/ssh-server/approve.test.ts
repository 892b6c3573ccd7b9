/** Keyboard-interactive without a certificate: what is shown, what is taken, what is bounded. */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { Client } from "ssh2";
import { SshReader, SshWriter } from "../../../src/base/ssh-buffer.ts";
import { sentenceOf } from "../../../src/policy/sentences.ts";
import { signInWith } from "../../../src/ssh/client-auth.ts";
import type { NetworkMap } from "../../../src/wire/network-map.ts";
import {
  aliceApproved,
  anOpened,
  type FakeApprovals,
  fakeApprovals,
  interactive,
} from "../../support/fake-approvals.ts";
import { isRoot } from "../../support/os-accounts.ts";
import { anId, aPeer, aRule } from "../../support/policy.ts";
import { keyedClient, type RawClient } from "../../support/raw-ssh.ts";
import { openTestSshServer, type TestSshServer } from "../../support/ssh-server-context.ts";
import { signIn } from "../../support/ssh-sign-in.ts";
import { until } from "../../support/until.ts";

const CODE = "ABCD-EFGH";
let world: TestSshServer;
let approvals: FakeApprovals;

async function open(limits: Parameters<typeof openTestSshServer>[0] = {}): Promise<void> {
  world = await openTestSshServer(limits);
  approvals = fakeApprovals();
  world.approvals = approvals;
  world.sourcePeerId = null;
  setRule({ capabilities: { allow_unmanaged_devices: true } });
}

function setRule(change: Parameters<typeof aRule>[3]): void {
  world.change((map) => ({ ...map, rules: { [anId("rule")]: aRule("rule", ["devs"], "full", change) } }));
}

beforeEach(() => open());
afterEach(() => world.close());

const typeCode = () => [CODE];

describe.skipIf(!isRoot)("a sign-in by approval", () => {
  test("shows the whole URL, whom it lets in and from where, and takes the code", async () => {
    const { isIn, client, shown } = await interactive(world.port, "root", typeCode);
    client.end();
    expect(isIn).toBe(true);
    expect(shown).toHaveLength(1);
    const [{ text, prompts } = { text: "", prompts: [] }] = shown;
    expect(text.split("\n")).toContain(`https://qf.example.com/login/hosted/${anId("approval1")}`);
    for (const said of ["127.0.0.1", "root", "web1.qf.internal"]) expect(text).toContain(said);
    expect(prompts).toEqual([expect.stringMatching(/^\(https:\S+\/login\/hosted\/\w+\) One-time code: $/)]);
    const [claim] = approvals.claims;
    expect(claim).toMatchObject({ approvalId: anId("approval1"), code: CODE });
    expect(claim?.subject).toEqual(approvals.opened[0] as never);
  });

  test("is evidence before it is let in, as a person without a device", async () => {
    const { client } = await interactive(world.port, "root", typeCode);
    client.end();
    expect(world.events.slice(0, 2)).toMatchObject([
      { type: "decision", binding: "ca", request: { userId: anId("alice"), devicePeerId: null } },
      { type: "connection.open", path: "plain", certificateSerial: null, devicePeerId: null },
    ]);
  });

  test("is asked for each connection under its own SSH session", async () => {
    const both = await Promise.all([1, 2].map(() => interactive(world.port, "root", typeCode)));
    for (const { client } of both) client.end();
    const [a, b] = approvals.opened;
    expect(a?.sessionIdHash).toMatch(/^[A-Za-z0-9_-]{43}$/);
    expect(a?.sessionIdHash).not.toBe(b?.sessionIdHash ?? "");
    expect(a?.connectionId).not.toBe(b?.connectionId ?? "");
  });

  test.each([
    { name: "a rule for managed devices only", rule: {}, says: "This policy admits registered devices only" },
    { name: "a person without a rule", who: { userId: anId("bob"), subject: "bob" }, says: "not authorized" },
    {
      name: "a person whom management has blocked",
      who: { refusal: "user_blocked" },
      says: "User is blocked",
    },
    { name: "another person's identity", who: { subject: "mallory" }, says: "Authentication failed" },
    { name: "a local user that is not there", localUser: "nobodyhere", says: "does not exist" },
  ])("is refused with $name, by a sentence with its receipt after the proof", async (row) => {
    if (row.rule !== undefined) setRule({ capabilities: row.rule });
    approvals.answers = [aliceApproved((row.who ?? {}) as never)];
    const { isIn, shown } = await interactive(world.port, row.localUser ?? "root", typeCode);
    expect(isIn).toBe(false);
    expect(shown).toHaveLength(2);
    expect(shown[1]?.prompts).toEqual([]);
    expect(shown[1]?.text).toContain(row.says);
    expect(shown[1]?.text).toContain(`receipt ${world.eventsOf("decision").at(-1)?.receipt}`);
    expect(world.eventsOf("connection.open")).toEqual([]);
  });

  test("looks the same before the proof for every local user", async () => {
    const texts = await Promise.all(
      ["root", "nobodyhere"].map(async (name) => {
        const { shown } = await interactive(world.port, name, async () => []);
        return shown.map(({ text }) => text.replaceAll(name, "NAME").replace(/hosted\/\w+/g, "hosted/ID"));
      }),
    );
    expect(texts[0]).toEqual(texts[1] as string[]);
  });

  test("waits for a map that knows the person", async () => {
    approvals.answers = [aliceApproved({ mapVersion: 9 })];
    const { isIn, client } = await interactive(world.port, "root", typeCode);
    client.end();
    expect(isIn).toBe(true);
    expect(world.waits).toEqual([9]);
  });

  test("ends with the person's block and with the end of the login", async () => {
    const changes: ((map: NetworkMap) => NetworkMap)[] = [
      (map) => ({
        ...map,
        users: { [anId("alice")]: { ...map.users[anId("alice")], status: "blocked" } as never },
      }),
      (map) => ({
        ...map,
        revokedLogins: { ["L".repeat(43)]: { id: "L".repeat(43), untilSeconds: 2 ** 31 } },
      }),
      (map) => ({ ...map, rules: {} }),
    ];
    for (const change of changes) {
      const { client, isIn } = await interactive(world.port, "root", typeCode);
      expect(isIn).toBe(true);
      const closed = new Promise((resolve) => client.once("close", () => resolve(true)));
      const before = world.map;
      world.change(change);
      await closed;
      world.change(() => before);
    }
  });
});

describe.skipIf(!isRoot)("a program that a peer carries", () => {
  const carry = (by: "socks" | "intercept"): void => {
    const via = { by, localUser: by === "socks" ? null : "deploy", peerId: anId("laptop") };
    world.origin = { path: "direct", sourcePeerId: null, via };
    // The address at which any client may come may well be closed.
    world.takesPlain = false;
  };

  test.each(["socks", "intercept"] as const)("by %s is signed in by a page, without a device", async (by) => {
    carry(by);
    const { isIn, client } = await interactive(world.port, "root", typeCode);
    client.end();
    expect(isIn).toBe(true);
    expect(world.events[1]).toMatchObject({ type: "connection.open", path: "direct", devicePeerId: null });
  });

  test("meets a rule for registered devices as such a client", async () => {
    carry("intercept");
    setRule({ capabilities: {} });
    const { isIn, shown } = await interactive(world.port, "root", typeCode);
    expect(isIn).toBe(false);
    expect(shown.at(-1)?.text).toContain(sentenceOf("unmanaged_device").sentence);
  });

  test("ends when the peer may not come any more", async () => {
    carry("intercept");
    const { isIn, client } = await interactive(world.port, "root", typeCode);
    expect(isIn).toBe(true);
    const closed = new Promise((resolve) => client.once("close", () => resolve(true)));
    world.change((map) => ({ ...map, peers: {} }));
    expect(await closed).toBe(true);
    await until(() => world.eventsOf("connection.close").length > 0);
    expect(world.eventsOf("connection.close")[0]?.reason).toBe("device_unknown");
  });

  test("is no machine: the key of the peer that carries it signs nobody in", async () => {
    carry("intercept");
    world.sshAuth = false;
    const client = new Client();
    const offered = await new Promise((resolve) => {
      client
        .on("error", (error) => resolve("level" in error ? error.level : error))
        .on("ready", () => resolve("in"));
      client.connect({ host: "127.0.0.1", port: world.port, username: "root", readyTimeout: 20_000 });
      signInWith(client, { key: world.deviceKey, certificateBlob: null });
    });
    expect(offered).not.toBe("in");
    expect(world.eventsOf("connection.open")).toEqual([]);
  });
});

describe.skipIf(!isRoot)("a machine that stops to take such clients", () => {
  test("lets no more of them in, and ends those that are", async () => {
    const live = await interactive(world.port, "root", typeCode);
    const late = await interactive(world.port, "root", () => {
      world.takesPlain = false;
      return [CODE];
    });
    expect(late.isIn).toBe(false);
    expect(late.shown.at(-1)?.text).toContain(sentenceOf("plain_ssh_disabled").sentence);
    const closed = new Promise((resolve) => live.client.once("close", () => resolve(true)));
    world.server.recheck();
    expect(await closed).toBe(true);
    await until(() => world.eventsOf("connection.close").length > 0);
    expect(world.eventsOf("connection.close")[0]?.reason).toBe("plain_ssh_disabled");
  });
});

describe("codes", () => {
  test("that are wrong are asked for again, then there are none left", async () => {
    approvals.answers = [4, 3, 2, 1, 0].map((triesLeft) => ({ status: "wrong_code", triesLeft }));
    const { isIn, shown } = await interactive(world.port, "root", () => ["WRNG-CODE"]);
    expect(isIn).toBe(false);
    expect(shown.map(({ prompts }) => prompts.length)).toEqual([1, 1, 1, 1, 1, 0]);
    expect(shown[1]?.text).toContain("4 tries are left");
    expect(shown[4]?.text).toContain("1 try is left");
    expect(shown[5]?.text).toContain("too many wrong codes");
    expect(approvals.claims).toHaveLength(5);
  });

  test("are five wrong ones at most, whatever management would still take", async () => {
    approvals.answers = [{ status: "wrong_code", triesLeft: 99 }];
    const { isIn } = await interactive(world.port, "root", typeCode);
    expect(isIn).toBe(false);
    expect(approvals.claims).toHaveLength(5);
  });

  test.each([
    { name: "no answer", answers: [], asked: 5 },
    { name: "two answers", answers: [CODE, CODE], asked: 5 },
    // Enter, before the page is open: no try.
    { name: "an empty answer", answers: [""], asked: 21 },
    { name: "a long answer", answers: ["A".repeat(65)], asked: 5 },
    { name: "many answers", answers: Array.from({ length: 16 }, () => CODE), asked: 5 },
  ])("are not claimed with $name, and end after $asked", async ({ answers, asked }) => {
    const { isIn, shown } = await interactive(world.port, "root", () => [...answers]);
    expect(isIn).toBe(false);
    expect(approvals.claims).toEqual([]);
    expect(shown).toHaveLength(asked + 1);
    expect(shown.at(-1)?.prompts).toEqual([]);
  });

  test.each([
    {
      name: "not approved yet",
      answer: { status: "waiting" as const },
      says: "Nobody has approved this yet",
    },
    {
      name: "management away",
      answer: { status: "unavailable" as const },
      says: "cannot reach its management",
    },
  ])("are asked for again where it is $name", async ({ answer, says }) => {
    approvals.answers = [answer, aliceApproved()];
    const { isIn, shown, client } = await interactive(world.port, "root", typeCode);
    client.end();
    expect(shown[1]?.text).toContain(says);
    expect(shown[1]?.prompts).toHaveLength(1);
    if (isRoot) expect(isIn).toBe(true);
  });

  test.each([
    { name: "was denied", answer: { status: "denied" as const }, says: "was denied" },
    {
      name: "failed at the provider",
      answer: { status: "denied" as const, message: "the token is for another client" },
      says: "Authentication failed: the token is for another client. Connect again.",
    },
    { name: "is over", answer: { status: "over" as const }, says: "has expired" },
  ])("end the connection where the approval $name", async ({ answer, says }) => {
    approvals.answers = [answer];
    const { isIn, shown } = await interactive(world.port, "root", typeCode);
    expect(isIn).toBe(false);
    expect(shown.at(-1)).toMatchObject({ text: expect.stringContaining(says), prompts: [] });
  });
});

describe("what is offered", () => {
  async function methods(method: "none" | "password"): Promise<string> {
    const client = new Client();
    return new Promise((resolve) => {
      client.on("error", () => {}).on("close", () => resolve("closed"));
      client.connect({
        host: "127.0.0.1",
        port: world.port,
        username: "root",
        password: "secret",
        authHandler: (left, _partial, next) => {
          if (left === null) return next(method);
          resolve(String(left));
          client.end();
        },
      });
    });
  }

  test("is the code first and then keys, whatever is tried", async () => {
    expect(await methods("none")).toBe("keyboard-interactive,publickey");
    expect(await methods("password")).toBe("keyboard-interactive,publickey");
  });

  test.each([
    ["after a hello", { sourcePeerId: anId("laptop") }],
    ["where only the provider's own signature counts", { pinned: { issuer: "i", audience: "a" } }],
    ["where machines sign in and no people", { sshAuth: false }],
    ["where nobody can be asked", { approvals: null }],
  ])("is keys only %s", async (_name, change) => {
    Object.assign(world, change);
    expect(await methods("none")).toBe("publickey");
    const { isIn } = await interactive(world.port, "root", typeCode);
    expect(isIn).toBe(false);
    expect(approvals.opened).toEqual([]);
  });

  test("counts no try for a key that a stock client asks about", async () => {
    using client = await keyedClient(world.port, "failed");
    for (let i = 0; i < 12; i++) client.send(keyQuery());
    await seen(client, 51, 13);
    expect(client.isClosed()).toBe(false);
  });

  test.skipIf(!isRoot)("is a certificate as well, without a hello", async () => {
    const answer = await signIn(world, { ...(await world.issue()), localUser: "root" });
    answer.client.end();
    expect(answer.isIn).toBe(true);
    expect(world.eventsOf("connection.open")[0]).toMatchObject({ path: "plain", certificateSerial: "7" });
  });

  test.skipIf(!isRoot)("refuses a certificate whose device no rule lets reach the machine", async () => {
    world.change((map) => ({
      ...map,
      peers: { ...map.peers, [anId("tablet")]: aPeer("tablet", ["others"]) },
    }));
    const issued = await world.issue({ identity: { devicePeerId: anId("tablet") } });
    const answer = await signIn(world, { ...issued, localUser: "root" });
    expect(answer.isIn).toBe(false);
    expect(world.eventsOf("decision")[0]?.decision.outcome).toBe("deny");
  });
});

describe("bounds", () => {
  test("a waiting connection has until the approval's end, and hears of it", async () => {
    await world.close();
    await open({ limits: { graceMs: 400 } });
    approvals.opening = (n) => anOpened(n, 2);
    const startedMs = performance.now();
    const { isIn, error } = await interactive(world.port, "root", () => new Promise(() => {}));
    expect(isIn).toBe(false);
    expect(performance.now() - startedMs).toBeGreaterThan(900);
    expect(error).toBe("");
    expect(approvals.closed).toEqual([anId("approval1")]);
  });

  test("those who wait are capped by source, and whoever leaves makes room", async () => {
    await world.close();
    await open({ limits: { pendingPerSourceMax: 3, pendingMax: 100 } });
    const waiting = await Promise.all(Array.from({ length: 3 }, () => kept()));
    const late = await interactive(world.port, "root", typeCode);
    expect(late.isIn).toBe(false);
    expect(late.shown).toMatchObject([{ text: expect.stringContaining("Too many sign-ins are waiting") }]);
    expect(approvals.opened).toHaveLength(3);
    waiting[0]?.socket.destroy();
    await until(() => approvals.closed.length === 1);
    expect(approvals.closed).toEqual([anId("approval1")]);
    using again = await kept();
    expect(again.isClosed()).toBe(false);
    for (const client of waiting) client.socket.destroy();
  });

  test("one that is opened when its client has gone is closed again", async () => {
    let finish: (opened: ReturnType<typeof anOpened>) => void = () => {};
    approvals.opening = () => new Promise((resolve) => (finish = resolve));
    const client = await keyedClient(world.port, "failed");
    client.send(keyboardRequest("root"));
    await until(() => approvals.opened.length === 1);
    client.socket.destroy();
    await Bun.sleep(50);
    finish(anOpened(1));
    await until(() => approvals.closed.length === 1);
  });

  test.each([
    { name: "full", says: "Too many sign-ins" },
    { name: "unavailable", says: "cannot reach its management server" },
  ] as const)("one line is said where management is $name", async ({ name, says }) => {
    approvals.opening = () => ({ kind: name });
    const { isIn, shown } = await interactive(world.port, "root", typeCode);
    expect(isIn).toBe(false);
    expect(shown).toHaveLength(1);
    expect(shown[0]?.prompts).toEqual([]);
    expect(shown[0]?.text).toContain(says);
    expect(shown[0]?.text).not.toContain("\n");
  });

  test.each([
    ["node ssh2", "ssh2js1.17.0", 1],
    ["Apache MINA", "APACHE-SSHD-2.15.0", 1],
    ["net-ssh", "Ruby/Net::SSH_7.0.1", 1],
    ["OpenSSH", "OpenSSH_9.2p1", 0],
    ["PuTTY", "PuTTY_Release_0.78", 0],
    ["one that only has the word in it", "libssh_ssh2js", 0],
  ] as const)("%s hears why it was refused, once", async (_name, ident, banners) => {
    setRule({
      capabilities: { allow_unmanaged_devices: true },
      authorizedGroups: { [anId("devs")]: ["deploy"] },
    });
    const { isIn, shown, banner } = await interactive(world.port, "root", typeCode, ident);
    expect(isIn).toBe(false);
    expect(shown.at(-1)).toMatchObject({ text: expect.stringContaining("OS user"), prompts: [] });
    expect(banner.match(/OS user \(/g) ?? []).toHaveLength(banners);
  });

  test.each([
    ["dbclient", "dropbear_2022.83", false],
    ["dbclient of OpenWrt", "dropbear_2024.86", false],
    ["OpenSSH", "OpenSSH_9.2p1", true],
    ["one that only has the word in it", "not_dropbear_1", true],
  ] as const)("%s is asked where its person can answer", async (_name, ident, isSeen) => {
    const { isIn, shown, client } = await interactive(world.port, "root", typeCode, ident);
    client.end();
    expect(isIn).toBe(true);
    expect(shown[0]?.echo).toEqual([isSeen]);
  });

  test("a name that no OS user can have is refused without asking anybody", async () => {
    const { isIn } = await interactive(world.port, "a b;c", typeCode);
    expect(isIn).toBe(false);
    expect(approvals.opened).toEqual([]);
  });

  test("an answer that nobody asked for, or two for one prompt, end the connection", async () => {
    using early = await keyedClient(world.port, "failed");
    early.send(codeAnswer());
    await early.closed;
    approvals.claimMs = 200;
    using twice = await kept();
    twice.send(codeAnswer(), codeAnswer());
    await twice.closed;
    using another = await kept();
    another.send(codeAnswer(), keyboardRequest("root"));
    await another.closed;
    await Bun.sleep(250);
    expect(world.eventsOf("connection.open")).toEqual([]);
  });

  test("a request given up for another keeps its approval, and the name cannot change", async () => {
    using client = await kept();
    client.send(keyboardRequest("root"));
    await seen(client, 60, 2);
    expect(approvals.opened).toHaveLength(1);
    client.send(keyboardRequest("nobodyhere"));
    await client.closed;
    expect(approvals.opened).toHaveLength(1);
  });
});

/** A client that has been prompted and says nothing. */
async function kept(): Promise<RawClient> {
  const client = await keyedClient(world.port, "failed");
  client.send(keyboardRequest("root"));
  await seen(client, 60, 1);
  const request = client.payloads.find((payload) => payload[0] === 60) ?? Buffer.alloc(0);
  const reader = new SshReader(request.subarray(1));
  expect(reader.text(100)).toBe("");
  return client;
}

function keyboardRequest(user: string): Buffer {
  const writer = new SshWriter().uint8(50).text(user).text("ssh-connection");
  return writer.text("keyboard-interactive").text("").text("").toBuffer();
}

function codeAnswer(): Buffer {
  return new SshWriter().uint8(61).uint32(1).text(CODE).toBuffer();
}

function keyQuery(): Buffer {
  const key = new SshWriter().text("ssh-ed25519").string(Buffer.alloc(32, 5)).toBuffer();
  const writer = new SshWriter().uint8(50).text("root").text("ssh-connection").text("publickey");
  return writer.bool(false).text("ssh-ed25519").string(key).toBuffer();
}

async function seen(client: RawClient, type: number, count: number): Promise<void> {
  await until(() => client.received.filter((one) => one === type).length >= count);
}
