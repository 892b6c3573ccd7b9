/**
 * The port where machines listen for peers, captured: nothing but TCP's own segments leaves it before a valid
 * hello, whatever is sent to it; a valid hello gets the SSH banner.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { connect, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { generateEd25519 } from "../../src/base/ed25519.ts";
import { makeHello } from "../../src/fabric/hello.ts";
import { parseHostPort } from "../../src/fabric/host-port.ts";
import { type Capture, hasCapture, type Segment, startCapture } from "../support/capture.ts";
import { type Hello, helloOf } from "../support/knock.ts";
import type { Lab, LabAgent, LabDevice } from "../support/lab.ts";
import { openSetUp, type SetUp } from "../support/set-up.ts";

if (!hasCapture()) process.stderr.write("skipped: no tcpdump, or no right to use it\n");

describe.skipIf(!hasCapture() && process.env.CI !== "true").each(["127.0.0.1", "::1"])(
  "the silent port at %s",
  (address) => {
    let setUp: SetUp;
    let lab: Lab;
    let web: LabAgent;
    let laptop: LabDevice;
    let stranger: LabDevice;
    let capture: Capture;
    let host: string;
    let port: number;
    let hello: Hello;

    beforeAll(async () => {
      const listen = address.includes(":") ? `[${address}]:0` : `${address}:0`;
      // Nobody has to wait: it is the port that shall say nothing, not a penalty.
      const args = ["--listen", listen, "--ssh-per-source-penalties", "no"];
      setUp = await openSetUp({ machines: { web1: args } });
      ({ lab, agent: web, device: laptop } = setUp);
      stranger = lab.device(await lab.createPerson("eve@example.com"), "stranger");
      await stranger.login();
      const [found = ""] = (await web.status()).sshServer.listen;
      ({ host, port } = parseHostPort(found));
      hello = await helloOf(laptop, web);
      await lab.until("the device in the map", async () => (await web.status()).peers.length > 0);
      capture = await startCapture(port);
    }, 120_000);

    afterAll(async () => {
      await capture?.[Symbol.asyncDispose]();
      await setUp?.[Symbol.asyncDispose]();
    });

    const now = () => Math.floor(Date.now() / 1000);
    const fresh = (change: Partial<Hello> = {}) => makeHello({ ...hello, nowSeconds: now(), ...change });

    /** Sends `bytes`, waits until the machine closes or has answered, and gives what was captured. */
    async function send(bytes: string | Uint8Array, { closes = false } = {}): Promise<Segment[]> {
      const socket = connect({ host, port });
      await new Promise((resolve) => socket.once("connect", resolve));
      socket.write(bytes);
      if (closes) socket.end();
      return await captured(socket);
    }

    async function captured(socket: Socket): Promise<Segment[]> {
      const clientPort = socket.localPort ?? 0;
      await new Promise((resolve) => {
        socket.on("error", () => {}).once("close", resolve);
        socket.once("data", () => socket.destroy());
      });
      return await lab.until("the end of the connection", async () => {
        const segments = capture.segments().filter((segment) => segment.clientPort === clientPort);
        const isOver = segments.some(({ isFromServer, flags }) => isFromServer && /[FR]/.test(flags));
        return isOver ? segments : undefined;
      });
    }

    /** That the capture saw what was sent, and nothing with a payload in the other direction. */
    function expectSilence(segments: Segment[], sent: boolean): void {
      expect(segments.some(({ isFromServer, payload }) => !isFromServer && payload.length > 0)).toBe(sent);
      const answers = segments.filter(({ isFromServer }) => isFromServer);
      expect(answers[0]?.flags).toBe("SA");
      expect(answers.map(({ payload }) => payload.length)).toEqual(answers.map(() => 0));
      for (const { flags } of answers) expect(["SA", "A", "FA", "R", "RA"]).toContain(flags);
    }

    test("answers a valid hello with the SSH banner, and says nothing before it", async () => {
      const segments = await send(fresh());
      const spoken = segments.filter(({ payload }) => payload.length > 0);
      expect(spoken[0]).toMatchObject({ isFromServer: false });
      expect(spoken[0]?.payload.toString()).toStartWith("QUFABRIC/1 ");
      expect(spoken[1]?.isFromServer).toBe(true);
      expect(spoken[1]?.payload.toString("latin1")).toStartWith("SSH-2.0-");
    });

    test.each<[name: string, bytes: () => string | Uint8Array]>([
      ["random bytes", () => randomBytes(600)],
      ["random bytes with a line in them", () => Buffer.concat([randomBytes(80), Buffer.from("\n")])],
      ["an HTTP request", () => "GET / HTTP/1.1\r\nHost: web1\r\n\r\n"],
      ["an SSH banner", () => "SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n"],
      ["a line without an end", () => "QUFABRIC/1 ".padEnd(2_000, "a")],
      ["an empty line", () => "\n"],
      ["a hello of another version", () => fresh().replace("QUFABRIC/1", "QUFABRIC/2")],
      ["an expired hello", () => fresh({ nowSeconds: now() - 61 })],
      ["a hello of a minute ahead", () => fresh({ nowSeconds: now() + 65 })],
      ["a hello for another machine", () => fresh({ target: "z".repeat(20) })],
      ["a hello for another port", () => fresh({ port: 443 })],
      ["a hello by another key", () => fresh({ deviceKey: generateEd25519() })],
      ["a hello of a device that is not known", () => fresh({ source: "z".repeat(20) })],
    ])(
      "says nothing to %s",
      async (_name, bytes) => {
        expectSilence(await send(bytes()), true);
      },
      20_000,
    );

    test("says nothing to a TLS client", async () => {
      const socket = connect({ host, port });
      await new Promise((resolve) => socket.once("connect", resolve));
      connectTls({ socket, rejectUnauthorized: false }).on("error", () => {});
      expectSilence(await captured(socket), true);
    }, 20_000);

    test("says nothing to a hello that was taken before", async () => {
      const line = fresh();
      const [, first] = (await send(line)).filter(({ payload }) => payload.length > 0);
      expect(first?.payload.toString("latin1")).toStartWith("SSH-2.0-");
      expectSilence(await send(line), true);
    });

    test("says nothing to a hello of a device that no rule lets in", async () => {
      expectSilence(await send(makeHello(await helloOf(stranger, web))), true);
    });

    test("says nothing to half a hello, whether its sender goes or waits for the end of the machine's patience", async () => {
      const half = fresh().slice(0, 120);
      expectSilence(await send(half, { closes: true }), true);
      expectSilence(await send(half), true);
    }, 20_000);

    test("says nothing to whoever says nothing", async () => {
      const socket = connect({ host, port });
      await new Promise((resolve) => socket.once("connect", resolve));
      expectSilence(await captured(socket), false);
    }, 20_000);
  },
);
