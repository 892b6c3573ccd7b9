import { afterAll, beforeAll, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import type { Session } from "ssh2";
import { SshBufferError, SshWriter } from "../../src/base/ssh-buffer.ts";
import { BULK_BYTES, fasterOffer } from "../../src/sshcore/bulk-cipher.ts";
import { type KexInitOffer, patched } from "../../src/sshcore/patched-ssh2.ts";
import { type GuardedServer, startGuardedServer } from "../support/guarded-server.ts";

const ssh = Bun.which("ssh");
if (ssh === null && process.env.CI === "true") throw new Error("OpenSSH's client is needed where CI=true");
if (ssh === null) process.stderr.write("skipped: there is no OpenSSH client here\n");

const STOCK = [
  "chacha20-poly1305@openssh.com",
  "aes128-ctr",
  "aes256-ctr",
  "aes128-gcm@openssh.com",
  "aes256-gcm@openssh.com",
];
const FAST = ["aes256-gcm@openssh.com", "aes128-gcm@openssh.com"];

class Offer implements KexInitOffer {
  readonly lists: KexInitOffer["lists"];
  constructor(lists: {
    kex: string[];
    serverHostKey: string[];
    cs: Record<"cipher" | "mac" | "compress" | "lang", string[]>;
    sc: Record<"cipher" | "mac" | "compress" | "lang", string[]>;
  }) {
    const side = ({ cipher, mac, compress, lang }: typeof lists.cs) => ({
      cipher: { array: cipher },
      mac: { array: mac },
      compress: { array: compress },
      lang: { array: lang },
    });
    this.lists = {
      kex: { array: lists.kex },
      serverHostKey: { array: lists.serverHostKey },
      cs: side(lists.cs),
      sc: side(lists.sc),
    };
  }
}

const oneWay = { cipher: [...FAST, "aes128-ctr"], mac: ["mac"], compress: ["none"], lang: [] };
const offered = new Offer({ kex: ["kex"], serverHostKey: ["key"], cs: oneWay, sc: oneWay });

function kexInit(cs: readonly string[], sc: readonly string[]): Buffer {
  const writer = new SshWriter().uint8(20);
  for (let i = 0; i < 4; i++) writer.uint32(0);
  for (const names of [["kex"], ["key"], cs, sc]) writer.text(names.join(","));
  return writer.toBuffer();
}

function offerTo(ident: string, cs: readonly string[], sc = cs): KexInitOffer | null {
  return fasterOffer({ _offer: offered, _remoteIdentRaw: Buffer.from(ident) }, kexInit(cs, sc));
}

const OPENSSH = "SSH-2.0-OpenSSH_9.2p1 Debian-2";
test.each([
  { name: "as OpenSSH has it", ident: OPENSSH, cs: STOCK, sc: STOCK, isFaster: true },
  { name: "of Windows", ident: "SSH-2.0-OpenSSH_for_Windows_9.5", cs: STOCK, sc: STOCK, isFaster: true },
  { name: "with AES-GCM one way only", ident: OPENSSH, cs: STOCK, sc: [...FAST, ...STOCK], isFaster: true },
  { name: "with AES-GCM first", ident: OPENSSH, cs: [...FAST, ...STOCK], sc: FAST, isFaster: false },
  { name: "without AES-GCM", ident: OPENSSH, cs: ["aes128-ctr"], sc: ["aes128-ctr"], isFaster: false },
  { name: "without it one way", ident: OPENSSH, cs: STOCK, sc: ["aes128-ctr"], isFaster: false },
  { name: "of another client", ident: "SSH-2.0-JSCH_0.2.1", cs: STOCK, sc: STOCK, isFaster: false },
  {
    name: "of one that looks like it",
    ident: "SSH-2.0-OpenSSH-keyscan",
    cs: STOCK,
    sc: STOCK,
    isFaster: false,
  },
])("a list $name gets another offer later: $isFaster", ({ ident, cs, sc, isFaster }) => {
  const offer = offerTo(ident, cs, sc);
  expect(offer !== null).toBe(isFaster);
  if (offer === null) return;
  expect([offer.lists.cs.cipher.array, offer.lists.sc.cipher.array]).toEqual([FAST, FAST]);
  expect(offer.lists.kex.array).toEqual(["kex"]);
  expect(offer.lists.serverHostKey.array).toEqual(["key"]);
  expect(offer.lists.cs.mac.array).toEqual(["mac"]);
  // The offer to everybody else stays what it is.
  expect(offered.lists.cs.cipher.array).toContain("aes128-ctr");
});

test("a KEXINIT that breaks off is malformed", () => {
  const whole = kexInit(STOCK, STOCK);
  for (const length of [5, 20, whole.length - 1]) {
    const cut = { _offer: offered, _remoteIdentRaw: Buffer.from(OPENSSH) };
    expect(() => fasterOffer(cut, whole.subarray(0, length))).toThrow(SshBufferError);
  }
});

let server: GuardedServer;
beforeAll(async () => {
  server = await startGuardedServer({ letsAllIn: true, onSession: serve });
});
afterAll(() => server[Symbol.asyncDispose]());

/** `N`: N bytes down. Anything else: the hash of what comes up. */
function serve(session: Session): void {
  session.on("exec", (accept, _reject, { command }) => {
    const channel = accept();
    const finish = (): void => {
      channel.exit(0);
      channel.end();
    };
    const bytes = Number(command);
    if (bytes > 0) return void channel.write(Buffer.alloc(bytes, 0x5a), finish);
    const hash = createHash("sha256");
    channel.on("data", (data: Buffer) => hash.update(data));
    channel.on("end", () => {
      channel.write(hash.digest("hex"));
      finish();
    });
  });
}

/** What comes back, and the ciphers of each exchange from the server to the client, in order. */
async function run(options: readonly string[], command: string, input?: Buffer) {
  const argv = [
    ...[ssh ?? "ssh", "-F", "none", "-p", String(server.port), "-o", "UserKnownHostsFile=/dev/null"],
    ...["-o", "StrictHostKeyChecking=no", "-o", "BatchMode=yes", "-o", "PreferredAuthentications=none"],
    ...["-o", "LogLevel=DEBUG", ...options, "root@127.0.0.1", command],
  ];
  const child = Bun.spawn(argv, { stdin: input ?? "ignore", stdout: "pipe", stderr: "pipe" });
  const [output, told, code] = await Promise.all([
    new Response(child.stdout).arrayBuffer(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  expect(code).toBe(0);
  const ciphers = [...told.matchAll(/kex: server->client cipher: (\S+)/g)].map(([, name]) => name);
  return { output: Buffer.from(output), ciphers };
}

if (ssh !== null) {
  const stock = ["-c", "aes128-ctr,aes256-ctr,aes128-gcm@openssh.com"];
  test("a client that prefers AES-CTR has AES-GCM once it has moved much, down and up", async () => {
    const bytes = 3 * BULK_BYTES;
    const down = await run(stock, String(bytes));
    expect(down.output.equals(Buffer.alloc(bytes, 0x5a))).toBe(true);
    expect(down.ciphers).toEqual(["aes128-ctr", "aes128-gcm@openssh.com"]);
    const body = Buffer.alloc(bytes, 0x33);
    const up = await run(stock, "up", body);
    expect(up.output.toString()).toBe(createHash("sha256").update(body).digest("hex"));
    expect(up.ciphers).toEqual(["aes128-ctr", "aes128-gcm@openssh.com"]);
    expect(server.violations).toEqual([]);
  });

  test("a client that moves little keeps its cipher", async () => {
    expect((await run(stock, "100000")).ciphers).toEqual(["aes128-ctr"]);
  });

  test("a client that was told to use AES-CTR alone keeps it, however much it moves", async () => {
    expect((await run(["-c", "aes128-ctr"], String(3 * BULK_BYTES))).ciphers).toEqual(["aes128-ctr"]);
  });

  test("the offer to the next connection is whole again", () => {
    const offers = server.connections.map((connection) => patched(connection)._protocol._offer);
    expect(offers.at(-1)?.lists.cs.cipher.array).toContain("aes128-ctr");
  });
}
