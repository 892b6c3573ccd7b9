/** A machine that nobody can reach directly, reached through the relay. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { createHash, randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { generateEd25519 } from "../../src/base/ed25519.ts";
import { makeHello } from "../../src/fabric/hello.ts";
import { RELAY_LOSSES } from "../../src/fabric/relay-stream.ts";
import { encodeRelayFrame, RELAY_FRAME } from "../../src/wire/relay.ts";
import { freePort } from "../support/echo.ts";
import { helloOf } from "../support/knock.ts";
import { type Lab, type LabAgent, type LabDevice, openLab, type Person } from "../support/lab.ts";
import { isRoot, type OsAccount } from "../support/os-accounts.ts";
import { readAtLeast } from "../support/read-at-least.ts";
import { type RelayBetween, startBetween, type Tamper } from "../support/relay-between.ts";
import { openSetUp, type SetUp } from "../support/set-up.ts";

const sha256 = (data: Uint8Array): string => createHash("sha256").update(data).digest("hex");

describe.skipIf(!isRoot)("a machine without an open port", () => {
  let setUp: SetUp;
  let lab: Lab;
  let deploy: OsAccount;
  let agent: LabAgent;
  let devs: string;
  let ada: Person;
  let laptop: LabDevice;
  let at: string;

  beforeAll(async () => {
    setUp = await openSetUp({
      accounts: [["deploy"]],
      machines: { hidden1: ["--listen", "none"] },
      login: 600,
    });
    ({ lab, account: deploy, devs, person: ada, agent, device: laptop } = setUp);
    at = `${deploy.name}@hidden1`;
  }, 120_000);

  afterAll(async () => {
    await setUp?.[Symbol.asyncDispose]();
  });

  test("runs commands, and qf ssh -v says that it was the relay and why", async () => {
    const result = await laptop.ssh(["-v", at, "id -un; exit 3"]);
    expect(result).toMatchObject({ exitCode: 3, stdout: `${deploy.name}\n` });
    expect(result.stderr).toContain("no direct address of the peer is known");
    expect(result.stderr).toMatch(
      /\nqf: debug: connected through the relay at \S+ after \d+ ms: no direct address/,
    );
    expect(result.stderr).toMatch(/^qf: debug: a certificate after \d+ ms\n/);
    expect(result.stderr).toMatch(/\nqf: debug: signed in as \S+ after \d+ ms\n/);
  });

  test("takes and gives 64 MB unharmed", async () => {
    const bytes = randomBytes(64 * 1024 * 1024);
    const up = await laptop.ssh([at, "sha256sum"], { stdin: bytes });
    expect(up.stdout.slice(0, 64)).toBe(sha256(bytes));
    const file = join(deploy.home, "big");
    writeFileSync(file, bytes);
    const child = laptop.spawn(["ssh", at, `cat ${file}`]);
    const down = new Uint8Array(await new Response(child.stdout).arrayBuffer());
    expect(await child.exited).toBe(0);
    expect(sha256(down)).toBe(sha256(bytes));
  }, 60_000);

  test("status -d says which way a session came, and that the relay is connected", async () => {
    const child = laptop.spawn(["ssh", at, "sleep 30"]);
    const session = await lab.until("the session", async () => (await agent.status()).sshServer.sessions[0]);
    expect(session.path).toBe("relay");
    const { stdout } = await lab.qf(["agent", "status", "-d", "--state-dir", agent.stateDir]);
    expect(stdout).toMatch(/from \S+ \(relay\): sleep/);
    expect(stdout).toMatch(/Relay: +connected, 1 stream\n/);
    expect(stdout).toContain("through the relay only");
    const peer = await lab.until("its way", async () =>
      (await agent.status()).peers.find(({ path, latencyMs }) => path === "relay" && latencyMs !== null),
    );
    expect(peer.latencyMs).toBeGreaterThan(0);
    expect(stdout).toMatch(/relay \(there is no listener here\)/);
    expect((await agent.status()).management.latencyMs).toBeGreaterThan(0);
    child.kill("SIGKILL");
    await child.exited;
    await lab.until("the end", async () => (await agent.status()).sshServer.sessions.length === 0);
    expect((await agent.status()).relay).toEqual({ connected: true, streams: 0 });
  });

  test("a person whose access is taken away loses the connection", async () => {
    const child = laptop.spawn(["ssh", at, "echo begun; sleep 60"]);
    // Who is signed in, but has no channel yet, has nothing to be told on.
    expect((await child.stdout.getReader().read()).done).toBe(false);
    await lab.setGroups(ada, []);
    try {
      expect(await child.exited).toBe(255);
      expect(await new Response(child.stderr).text()).toContain("Access revoked");
    } finally {
      await lab.setGroups(ada, [devs]);
    }
  });

  test("somebody whom no policy lets in gets no session, in one line", async () => {
    const eve = await lab.createPerson("eve@example.com", []);
    const other = lab.device(eve, "other");
    const result = await other.ssh([at, "id"]);
    expect(result).toMatchObject({ exitCode: 255, stdout: "" });
    expect(result.stderr).toContain("qf: error:");
  });

  test("management killed in the middle of a transfer: one clear line, and back within 10 s", async () => {
    const child = laptop.spawn(["ssh", at, "cat /dev/zero"]);
    const reader = child.stdout.getReader();
    await readAtLeast(reader, 10_000_000);
    await lab.management?.kill();
    // What is read no further would keep the process from its end.
    void (async () => {
      while (!(await reader.read()).done);
    })();
    expect(await child.exited).toBe(255);
    const stderr = await new Response(child.stderr).text();
    expect(stderr).toContain(`qf: error: ${RELAY_LOSSES.lost}\n`);
    expect(stderr.trim().split("\n").length).toBeLessThanOrEqual(2);
    await lab.until(
      "nobody on it",
      async () => (await agent.status()).sshServer.sessions.length === 0,
      5_000,
    );
    expect((await agent.status()).relay).toEqual({ connected: false, streams: 0 });
    await lab.serveManagement();
    await lab.until("the link", async () => (await agent.status()).relay?.connected, 10_000);
    expect(await laptop.ssh([at, "echo back"])).toMatchObject({ exitCode: 0, stdout: "back\n" });
  }, 60_000);

  test("when the machine opens a port, new connections are direct; when it is gone, the relay again", async () => {
    await agent.up(["--listen", "127.0.0.1:0"]);
    await lab.until("the address", async () => {
      const result = await laptop.ssh(["-v", at, "true"]);
      return result.stderr.includes("connected directly to 127.0.0.1:");
    });
    await agent.up(["--listen", "none"]);
    const { stderr, exitCode } = await laptop.ssh(["-v", at, "true"]);
    expect(exitCode).toBe(0);
    expect(stderr).toContain("connected through the relay");
  });
});

describe.skipIf(!isRoot)("a relay that lies", () => {
  let between: RelayBetween;
  let setUp: SetUp;
  let lab: Lab;
  let deploy: OsAccount;
  let agent: LabAgent;
  let laptop: LabDevice;
  let at: string;

  beforeAll(async () => {
    between = startBetween();
    lab = await openLab({ start: false });
    await lab.initManagement();
    between.upstream = `http://127.0.0.1:${await freePort()}`;
    lab.url = between.upstream;
    await lab.serveManagement(["--public-url", between.url]);
    setUp = await openSetUp({
      lab,
      accounts: [["deploy"]],
      machines: { hidden1: ["--listen", "none"] },
      login: 600,
    });
    ({ account: deploy, agent, device: laptop } = setUp);
    at = `${deploy.name}@hidden1`;
  }, 120_000);

  afterAll(async () => {
    await (setUp ?? lab)?.[Symbol.asyncDispose]();
    between?.close();
  });

  const flip = (frame: Buffer, at: number): Buffer => {
    frame[at] = (frame[at] ?? 0) ^ 1;
    return frame;
  };

  test("and passes everything on is no hindrance", async () => {
    between.tamper = undefined;
    expect(await laptop.ssh([at, "echo through"])).toMatchObject({ exitCode: 0, stdout: "through\n" });
  });

  // Padding before the keys are in use is the one thing that nobody signs; what is changed here is not that.
  const tampers: readonly (readonly [string, () => Tamper])[] = [
    ["the machine's first frame", () => once("client", 0, (frame) => flip(frame, 12))],
    ["the machine's key exchange", () => once("client", 2, (frame) => flip(frame, 40))],
    ["the client's key exchange", () => once("agent", 2, (frame) => flip(frame, 40))],
    [
      "every frame towards the client",
      () => (frame, to) => (to === "client" ? flip(frame, frame.length - 1) : frame),
    ],
    ["every frame towards the machine", () => (frame, to) => (to === "agent" ? flip(frame, 5) : frame)],
    ["an encrypted frame", () => once("client", 5, (frame) => flip(frame, frame.length - 1))],
    ["an encrypted frame by sending it twice", () => once("client", 4, (frame) => twice(frame))],
  ];
  test.each(tampers)("and changes %s gets no session", async (_what, make) => {
    between.tamper = make();
    const result = await laptop.ssh(["-o", "ConnectTimeout=3", at, "echo session"]);
    expect(result).toMatchObject({ exitCode: 255, stdout: "" });
    expect(result.stderr).toContain("qf: error:");
    expect(result.stderr).not.toContain("    at ");
  });

  test("and cuts in the middle gives one clear line", async () => {
    let frames = 0;
    between.tamper = (frame, to) => (to === "client" && ++frames > 40 ? null : frame);
    const child = laptop.spawn(["ssh", at, "head -c 100000000 /dev/zero"]);
    const [stdout, stderr, exitCode] = await Promise.all([
      new Response(child.stdout).bytes(),
      new Response(child.stderr).text(),
      child.exited,
    ]);
    expect(exitCode).toBe(255);
    expect(stdout.length).toBeLessThan(100_000_000);
    expect(stderr).toContain("qf: error: ");
    between.tamper = undefined;
    expect(await laptop.ssh([at, "echo again"])).toMatchObject({ exitCode: 0, stdout: "again\n" });
  });

  test("and passes on what no device has said is refused, and status names it", async () => {
    expect((await agent.status()).problems.join()).not.toContain("relay");
    const { deviceKey, ...hello } = await helloOf(laptop, agent);
    const forged = makeHello({ ...hello, deviceKey: generateEd25519() }).trimEnd();
    const said = ["QUFABRIC/1 x y", forged, "SSH-2.0-OpenSSH_9.2"];
    for (const [i, line] of said.entries()) {
      const open = JSON.stringify({ hello: line, sourceAddress: "192.0.2.7", sourcePort: 4711 });
      between.sayToAgents(encodeRelayFrame(RELAY_FRAME.open, 1_000 + i, Buffer.from(open)));
    }
    const { problems, fixes, refused, relay } = await lab.until("the state", async () => {
      const status = await agent.status();
      return status.refused?.forgedByRelay === said.length && status;
    });
    expect(refused).toMatchObject({ direct: 0, relay: 3, lastAddress: "192.0.2.7" });
    expect(problems).toEqual(["the relay passes on what no device has sent: 3 streams were turned away"]);
    expect(fixes?.[0]).toContain("who stands between this machine and management");
    expect(relay?.streams).toBe(0);
    const { stdout } = await lab.qf(["agent", "status", "-d", "--state-dir", agent.stateDir]);
    expect(stdout).toContain("0 directly, 3 through the relay within 10 minutes; the last from 192.0.2.7");
    expect(await laptop.ssh([at, "echo in"])).toMatchObject({ exitCode: 0, stdout: "in\n" });
  });
});

/** Changes the frame number `index` in one direction, counting from 0. */
function once(direction: "client" | "agent", index: number, change: (frame: Buffer) => Buffer): Tamper {
  let seen = -1;
  return (frame, to) => {
    if (to !== direction) return frame;
    seen += 1;
    return seen === index ? change(frame) : frame;
  };
}

/** What a frame carries, two times over. */
function twice(frame: Buffer): Buffer {
  return Buffer.concat([frame, frame.subarray(5)]);
}
