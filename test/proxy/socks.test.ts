/** `qf proxy socks`: any SSH program of a person, to peers and nowhere else. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { sentenceOf } from "../../src/policy/sentences.ts";
import { hasParamiko, paramiko, puttySession, signInOn } from "../support/any-program.ts";
import type { Lab, LabAgent, Person } from "../support/lab.ts";
import { LabTerminal } from "../support/lab-terminal.ts";
import { isRoot, type OsAccount } from "../support/os-accounts.ts";
import { runProcess } from "../support/run-process.ts";
import { openSetUp, type SetUp } from "../support/set-up.ts";

const hasPlink = Bun.which("plink") !== null;

describe.skipIf(!isRoot)("qf proxy socks", () => {
  let setUp: SetUp;
  let lab: Lab;
  let deploy: OsAccount;
  let agent: LabAgent;
  let ada: Person;
  let proxy: Bun.Subprocess<"pipe", "pipe", "pipe">;
  let socks: URL;
  let http: string;
  /** What it says of those whom it does not serve. */
  let said = "";

  beforeAll(async () => {
    setUp = await openSetUp({
      accounts: [["deploy"]],
      policies: [{ rule: { ssh: { allow_unmanaged_devices: true } } }],
    });
    ({ lab, account: deploy, person: ada, agent } = setUp);
    proxy = setUp.device.spawn(["proxy", "socks"]);
    const [first = "", second = ""] = await linesOf(proxy.stdout, 2);
    socks = new URL(first);
    http = second;
    void hear(proxy.stderr);
  }, 120_000);

  afterAll(async () => {
    proxy?.kill();
    await proxy?.exited;
    await setUp?.[Symbol.asyncDispose]();
  });

  async function hear(stream: ReadableStream<Uint8Array>): Promise<void> {
    for await (const bytes of stream) said += Buffer.from(bytes).toString();
  }

  test("says where it is, on the loopback, with a password that nobody guesses", () => {
    expect(socks.protocol).toBe("socks5h:");
    expect(socks.hostname).toBe("127.0.0.1");
    expect(socks.password).toMatch(/^[A-Za-z0-9_-]{43}$/);
    expect(new URL(http)).toMatchObject({ protocol: "http:", port: socks.port, password: socks.password });
  });

  test.skipIf(!hasParamiko)(
    "paramiko comes in by name, signed in on a page, as an unmanaged client",
    async () => {
      const terminal = paramiko(lab, { host: "web1.qf.internal", user: deploy.name, proxy: http });
      await signInOn(terminal, ada);
      expect(await terminal.end()).toBe(0);
      expect(terminal.text).toContain("HTTP/1.1 200 Connected");
      expect(terminal.text).toContain(`ran ${deploy.name} 7`);
      const opened = await lab.until("the connection", async () =>
        (await lab.events()).find(({ activity_code }) => activity_code === "ssh.connection.open"),
      );
      expect(opened.data).toMatchObject({ userId: ada.id, devicePeerId: null, path: "direct" });
    },
  );

  test.skipIf(!hasPlink)("PuTTY comes in at the overlay address", async () => {
    const home = join(lab.root, "putty");
    const { address } = (await agent.status()).self ?? { address: "" };
    puttySession(home, "qf", {
      ...{ Protocol: "ssh", HostName: address, PortNumber: "22", UserName: deploy.name },
      ...{ ProxyMethod: "2", ProxyHost: socks.hostname, ProxyPort: socks.port, ProxyDNS: "2" },
      ...{ ProxyUsername: socks.username, ProxyPassword: socks.password },
    });
    const env = lab.env({ TERM: "xterm", HOME: home });
    const terminal = new LabTerminal(["plink", "-no-antispoof", "-load", "qf", "id -un"], env, lab.root);
    await terminal.expect(/\(y\/n/);
    terminal.type("y\r");
    await signInOn(terminal, ada);
    expect(await terminal.end()).toBe(0);
    expect(terminal.text).toContain(`\n${deploy.name}`);
  });

  test.skipIf(!hasParamiko)("a rule for registered devices only does not open to it", async () => {
    const { devs, servers, policy } = setUp;
    const put = (allowed: boolean) => {
      const ssh = { allow_unmanaged_devices: allowed };
      const body = { name: "devs", enabled: true, action: "accept", bidirectional: false };
      const ends = { protocol: "qufabric-ssh", sources: [devs], destinations: [servers] };
      const rule = { ...body, ...ends, authorized_groups: { [devs]: [deploy.name] }, ssh };
      return lab.api("PUT", `/api/policies/${policy.id}`, { name: "devs", enabled: true, rules: [rule] });
    };
    await put(false);
    const terminal = paramiko(lab, { host: "web1", user: deploy.name, proxy: http });
    await signInOn(terminal, ada);
    expect(await terminal.end()).not.toBe(0);
    expect(terminal.text.replace(/\s+/g, " ")).toContain(sentenceOf("unmanaged_device").sentence);
    await put(true);
  });

  /** What is answered to `bytes`, until the proxy closes. */
  async function answerTo(bytes: string): Promise<string> {
    const socket = connect(Number(socks.port), "127.0.0.1");
    socket.write(Buffer.from(bytes, "latin1"));
    return everything(socket);
  }

  const login = () => Buffer.from(`${socks.username}:${socks.password}`).toString("base64");
  const connectTo = (where: string, ...fields: string[]) =>
    [`CONNECT ${where} HTTP/1.1`, ...fields, "", ""].join("\r\n");
  const authorized = () => `Proxy-Authorization: Basic ${login()}`;

  test.each<[what: string, bytes: () => string, answer: string]>([
    ["a port that serves no SSH of ours", () => connectTo("web1:443", authorized()), "HTTP/1.1 403"],
    ["a machine of nobody", () => connectTo("web9:22", authorized()), "HTTP/1.1 403"],
    ["an address of another network", () => connectTo("127.0.0.1:22", authorized()), "HTTP/1.1 403"],
    ["a name of the internet", () => connectTo("example.com:22", authorized()), "HTTP/1.1 403"],
    ["a program without the password", () => connectTo("web1:22"), "HTTP/1.1 407"],
    ["a page of a browser", () => connectTo("web1:22", authorized(), "Origin: https://evil.example"), ""],
    ["a page's request", () => "GET http://web1:22/ HTTP/1.1\r\nHost: web1\r\n\r\n", ""],
  ])("%s is not served", async (_what, bytes, answer) => {
    expect((await answerTo(bytes())).slice(0, Math.max(answer.length, 1))).toBe(answer);
  });

  test("what is not SSH goes to no machine, even with the password", async () => {
    const asked = `${connectTo("web1:22022", authorized())}GET / HTTP/1.1\r\nHost: web1\r\n\r\n`;
    expect(await answerTo(asked)).toStartWith("HTTP/1.1 200 Connected");
    await lab.until("its word", async () => said.includes("does not speak SSH"));
  });

  test("a program of another user is not even asked", async () => {
    const script = 'exec 3<>"/dev/tcp/127.0.0.1/$1" && printf %s "$2" >&3 && cat <&3';
    const as = ["setpriv", `--reuid=${deploy.name}`, `--regid=${deploy.name}`, "--clear-groups"];
    const bash = ["bash", "-c", script, "bash", socks.port, connectTo("web1:22", authorized())];
    const found = await runProcess([...as, ...bash], { env: lab.env(), cwd: "/" });
    expect(found.stdout).toBe("");
    await lab.until("its word", async () => said.includes("a program of another user"));
  });
});

function everything(socket: Socket): Promise<string> {
  return new Promise((resolve) => {
    let text = "";
    socket.on("data", (data: Buffer) => {
      text += data.toString("latin1");
    });
    socket.on("error", () => {}).once("close", () => resolve(text));
  });
}

async function linesOf(stream: ReadableStream<Uint8Array>, count: number): Promise<string[]> {
  let text = "";
  const reader = stream.getReader();
  while (text.split("\n").length <= count) {
    const { done, value } = await reader.read();
    if (done) break;
    text += Buffer.from(value).toString();
  }
  reader.releaseLock();
  return text.trim().split("\n");
}
