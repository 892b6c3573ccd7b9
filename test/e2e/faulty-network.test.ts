/** People and a machine whose only way to management is a bad network. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { createHash, randomBytes } from "node:crypto";
import { connect, type Socket } from "node:net";
import { RELAY_LOSSES } from "../../src/fabric/relay-stream.ts";
import { freePort } from "../support/echo.ts";
import { type FaultyTcp, openFaultyTcp } from "../support/faulty-tcp.ts";
import { type Lab, type LabAgent, type LabDevice, openLab } from "../support/lab.ts";
import { isRoot, type OsAccount } from "../support/os-accounts.ts";
import { readAtLeast } from "../support/read-at-least.ts";
import type { RunResult } from "../support/run-process.ts";
import { openSetUp, type SetUp } from "../support/set-up.ts";
import { sshPort } from "../support/ssh-trap.ts";

const sha256 = (data: Uint8Array): string => createHash("sha256").update(data).digest("hex");

describe.skipIf(!isRoot)("a bad network", () => {
  let network: FaultyTcp;
  let setUp: SetUp;
  let lab: Lab;
  let deploy: OsAccount;
  let agent: LabAgent;
  let laptop: LabDevice;
  let at: string;
  let servers: string;

  const isLinked = async (): Promise<boolean> => {
    const { management, relay } = await agent.status();
    return management.connected && relay?.connected === true;
  };
  /** The owner's call past the network. */
  const direct = async (path: string): Promise<Response> =>
    fetch(`http://127.0.0.1:${network.upstream}${path}`, {
      headers: { authorization: `Token ${lab.token}` },
    });
  const isSeen = async (): Promise<boolean> => {
    const peers = (await (await direct("/api/peers")).json()) as { name: string; connected: boolean }[];
    return peers.find(({ name }) => name === "hidden1")?.connected === true;
  };

  beforeAll(async () => {
    network = await openFaultyTcp(await freePort());
    lab = await openLab({ start: false });
    await lab.initManagement();
    lab.url = `http://127.0.0.1:${network.upstream}`;
    await lab.serveManagement(["--public-url", `http://127.0.0.1:${network.port}`]);
    setUp = await openSetUp({ lab, accounts: [["deploy"]], machines: { hidden1: ["--listen", "none"] } });
    ({ account: deploy, servers, agent, device: laptop } = setUp);
    at = `${deploy.name}@hidden1`;
    await lab.until("the links", isLinked);
  }, 120_000);

  afterEach(async () => {
    network.fault = {};
    await lab.until("the links", isLinked, 30_000);
    expect(await laptop.ssh([at, "echo well again"])).toMatchObject({ exitCode: 0, stdout: "well again\n" });
    expect(lab.management?.process.exitCode).toBeNull();
  }, 60_000);

  afterAll(async () => {
    await (setUp ?? lab)?.[Symbol.asyncDispose]();
    network?.close();
  });

  /** Whatever happened: the right answer, or one line that says what is wrong. */
  function isClean({ exitCode, stdout, stderr }: RunResult, right: string): void {
    if (exitCode === 0) expect(stdout).toBe(right);
    else {
      expect(exitCode).toBe(255);
      expect(right).toStartWith(stdout);
      expect(stderr).toContain("qf: error:");
      expect(stderr).not.toContain("    at ");
    }
  }

  test.each([
    { what: "delays everything by 100 ms", fault: { delayMs: 100 } },
    { what: "lets seven bytes pass at once", fault: { pieceBytes: 7 } },
    { what: "delays small pieces", fault: { delayMs: 1, pieceBytes: 500 } },
  ])(
    "that $what is no hindrance",
    async ({ fault }) => {
      network.fault = fault;
      const bytes = randomBytes(200_000);
      const result = await laptop.ssh([at, "sha256sum"], { stdin: bytes });
      expect(result.stdout.slice(0, 64)).toBe(sha256(bytes));
      expect(result.exitCode).toBe(0);
      expect(await isLinked()).toBe(true);
    },
    60_000,
  );

  test.each([
    { what: "mixes up what passes", fault: { swapEvery: 5 } },
    { what: "mixes up the first pieces", fault: { swapEvery: 1 } },
    { what: "sends much twice", fault: { twiceEvery: 4 } },
    { what: "sends pieces twice", fault: { pieceBytes: 300, twiceEvery: 9 } },
  ])(
    "that $what lets nothing in that was not sent, and nobody crashes",
    async ({ fault }) => {
      const command = "for i in 1 2 3 4 5 6 7 8; do echo line $i; sleep 0.05; done";
      const right = Array.from({ length: 8 }, (_, i) => `line ${i + 1}\n`).join("");
      const underWay = [1, 2, 3].map(() => laptop.spawn(["ssh", at, `${command}; cat; ${command}`]));
      const readers = underWay.map(({ stdout }) => stdout.getReader());
      const begun = await Promise.all(readers.map((reader) => reader.read()));
      network.fault = fault;
      for (const child of underWay) child.stdin.end();
      isClean(await laptop.ssh([at, command]), right);
      for (const [i, child] of underWay.entries()) {
        let stdout = new TextDecoder().decode(begun[i]?.value);
        for await (const chunk of chunksOf(readers[i])) stdout += new TextDecoder().decode(chunk);
        const stderr = await new Response(child.stderr).text();
        isClean({ exitCode: await child.exited, stdout, stderr }, right + right);
      }
    },
    60_000,
  );

  test("that breaks in the middle, again and again: one clear line each, and all is back afterwards", async () => {
    for (let i = 0; i < 3; i++) {
      await lab.until("the links", isLinked, 30_000);
      const child = laptop.spawn(["ssh", at, "cat /dev/zero"]);
      const reader = child.stdout.getReader();
      await readAtLeast(reader, 1_000_000);
      network.cut();
      while (!(await reader.read()).done);
      expect(await child.exited).toBe(255);
      const stderr = await new Response(child.stderr).text();
      expect(stderr).toContain(`qf: error: ${RELAY_LOSSES.lost}\n`);
      expect(stderr.trim().split("\n").length).toBeLessThanOrEqual(2);
    }
    await lab.until(
      "nobody on it",
      async () => (await agent.status()).sshServer.sessions.length === 0,
      20_000,
    );
  }, 120_000);

  test("that falls silent is noticed by all: the person is told, the machine says so, its place is free", async () => {
    const child = laptop.spawn(["ssh", at, "cat"]);
    child.stdin.write("hello\n");
    child.stdin.flush();
    expect(new TextDecoder().decode((await child.stdout.getReader().read()).value)).toBe("hello\n");
    network.fault = { isSilent: true };
    const late = laptop.ssh(["-o", "ConnectTimeout=3", at, "true"]);
    expect(await child.exited).toBe(255);
    expect(await new Response(child.stderr).text()).toContain(`qf: error: ${RELAY_LOSSES.lost}`);
    isClean(await late, "");
    await lab.until(
      "the machine to notice",
      async () => !(await agent.status()).management.connected,
      30_000,
    );
    expect((await agent.status()).relay).toEqual({ connected: false, streams: 0 });
    const { stdout } = await lab.qf(["agent", "status", "-d", "--state-dir", agent.stateDir]);
    expect(stdout).toMatch(/Management: .*(not connected|disconnected)/i);
    await lab.until("management to notice", async () => !(await isSeen()), 30_000);
    network.fault = {};
    // What hangs in the network would only be found dead later.
    network.cut();
  }, 120_000);

  test("that falls silent on the direct way is noticed at both ends by who looks", async () => {
    const args = ["--listen", "127.0.0.1:0", "--ssh-idle-timeout=3"];
    const open = await lab.startAgent("open1", { groups: [servers], args });
    const way = await openFaultyTcp(await sshPort(open));
    try {
      await open.up(["--advertise", `127.0.0.1:${way.port}`]);
      const alive = ["-v", "-o", "ServerAliveInterval=1", "-o", "ServerAliveCountMax=2"];
      const child = laptop.spawn(["ssh", ...alive, `${deploy.name}@open1`, "cat"]);
      child.stdin.write("hello\n");
      child.stdin.flush();
      const said = new Response(child.stderr).text();
      expect(new TextDecoder().decode((await child.stdout.getReader().read()).value)).toBe("hello\n");
      way.fault = { isSilent: true };
      expect(await child.exited).toBe(255);
      expect(await said).toContain(`connected directly to 127.0.0.1:${way.port}`);
      expect((await said).match(/^qf: error: .+$/gm)).toHaveLength(1);
      await lab.until(
        "nobody on it",
        async () => (await open.status()).sshServer.sessions.length === 0,
        20_000,
      );
    } finally {
      way.close();
      await open.down();
    }
  }, 60_000);

  test("full of strangers leaves room for people", async () => {
    const sockets: Socket[] = [];
    const flood = (text: string): void => {
      // Another address than people's: what one source may cost is bounded by itself.
      const socket = connect({ port: network.upstream, host: "127.0.0.1", localAddress: "127.0.0.9" });
      socket.on("error", () => {});
      socket.write(text);
      sockets.push(socket);
    };
    const upgrade = (path: string): string =>
      `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${network.port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
      `Sec-WebSocket-Key: ${randomBytes(16).toString("base64")}\r\nSec-WebSocket-Version: 13\r\n\r\n`;
    for (let i = 0; i < 300; i++) {
      flood("");
      flood("GET /client/v1/relay HTTP/1.1\r\nHost: ");
      flood(randomBytes(300).toString("latin1"));
      flood(upgrade("/client/v1/relay"));
      flood(upgrade("/agent/v1/relay"));
      flood(upgrade("/agent/v1/sync"));
    }
    const results = await Promise.all([1, 2, 3].map((n) => laptop.ssh([at, `echo ${n}`])));
    expect(results.map(({ stdout }) => stdout)).toEqual(["1\n", "2\n", "3\n"]);
    expect(await isLinked()).toBe(true);
    for (const socket of sockets) socket.destroy();
  }, 60_000);
});

async function* chunksOf(reader: Pick<ReadableStreamDefaultReader<Uint8Array>, "read"> | undefined) {
  for (;;) {
    const { value, done } = (await reader?.read()) ?? { done: true };
    if (done || value === undefined) return;
    yield value;
  }
}
