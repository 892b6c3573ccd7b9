import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { createHash, createPublicKey, diffieHellman, generateKeyPairSync, verify } from "node:crypto";
import ssh2 from "ssh2";
import { makeEd25519HostKey } from "../../src/agent/state/host-keys.ts";
import { ed25519PublicKeyObject } from "../../src/base/ed25519.ts";
import { SshReader, SshWriter } from "../../src/base/ssh-buffer.ts";
import { ALGORITHMS } from "../../src/sshcore/algorithms.ts";
import { guardClient } from "../../src/sshcore/guard.ts";
import { type GuardedServer, startGuardedServer } from "../support/guarded-server.ts";
import { kexInit, plausible, type RawClient, rawClient } from "../support/raw-ssh.ts";
import { settles, until } from "../support/until.ts";

const HYBRID = "mlkem768x25519-sha256";
const X25519_SPKI = Buffer.from("302a300506032b656e032100", "hex");
const OFFER = `${HYBRID},kex-strict-c-v00@openssh.com`;

let server: GuardedServer;
beforeAll(async () => {
  server = await startGuardedServer({ password: "right", limits: { lingerMs: 200 } });
});
afterAll(() => server[Symbol.asyncDispose]());

describe("mlkem768x25519-sha256", () => {
  test("gives a signature over the hash that the draft describes", async () => {
    using client = await rawClient(server.port);
    const offer = kexInit({ kex: OFFER });
    const kem = await crypto.subtle.generateKey({ name: "ML-KEM-768" }, true, [
      "encapsulateBits",
      "decapsulateBits",
    ] as unknown as KeyUsage[]);
    const { publicKey, privateKey } = kem as CryptoKeyPair;
    const kemPublic = Buffer.from(await crypto.subtle.exportKey("raw-public" as "raw", publicKey));
    const x25519 = generateKeyPairSync("x25519");
    const x25519Public = x25519.publicKey.export({ type: "spki", format: "der" }).subarray(-32);
    const share = Buffer.concat([kemPublic, x25519Public]);
    client.send(offer, new SshWriter().uint8(30).string(share).toBuffer());
    await until(() => client.received.includes(31));

    const answer = new SshReader(client.payloads[client.received.indexOf(31)] ?? Buffer.alloc(0));
    answer.uint8();
    const [hostKey, theirs, signed] = [answer.string(1024), answer.string(2048), answer.string(1024)];
    expect(theirs.length).toBe(1088 + 32);
    const subtle = crypto.subtle as unknown as {
      decapsulateBits(algorithm: object, key: CryptoKey, ciphertext: Uint8Array): Promise<ArrayBuffer>;
    };
    const kemSecret = await subtle.decapsulateBits(
      { name: "ML-KEM-768" },
      privateKey,
      theirs.subarray(0, 1088),
    );
    const x25519Secret = diffieHellman({
      privateKey: x25519.privateKey,
      publicKey: createPublicKey({
        key: Buffer.concat([X25519_SPKI, theirs.subarray(1088)]),
        type: "spki",
        format: "der",
      }),
    });
    const secret = createHash("sha256").update(new Uint8Array(kemSecret)).update(x25519Secret).digest();
    const hashed = new SshWriter()
      .string(Buffer.from("SSH-2.0-raw"))
      .string(Buffer.from(client.identification()))
      .string(offer)
      .string(client.payloads[client.received.indexOf(20)] ?? Buffer.alloc(0))
      .string(hostKey)
      .string(share)
      .string(theirs)
      .string(secret)
      .toBuffer();
    const hash = createHash("sha256").update(hashed).digest();
    const key = new SshReader(hostKey);
    const signature = new SshReader(signed);
    expect([key.text(32), signature.text(32)]).toEqual(["ssh-ed25519", "ssh-ed25519"]);
    const publicKeyObject = ed25519PublicKeyObject(key.string(32).toString("base64url"));
    expect(verify(null, hash, publicKeyObject, signature.string(64))).toBe(true);
  });

  test("is what two of ours agree on, and again when keys are exchanged later", async () => {
    const { client, negotiated } = await connectClient(ALGORITHMS.kex);
    expect(negotiated).toEqual([HYBRID]);
    (client as unknown as { _protocol: { rekey(): void } })._protocol.rekey();
    await until(() => negotiated.length === 2);
    // The client is done a moment before the server, which does not begin another exchange within one.
    const connection = server.connections.at(-1);
    type Inside = { _protocol: { _kexinit: unknown } };
    await until(() => (connection as unknown as Inside)._protocol._kexinit === undefined);
    connection?.rekey();
    await until(() => negotiated.length === 3);
    client.end();
  });

  test("gives way to curve25519-sha256 for a client without it", async () => {
    const { client, negotiated } = await connectClient(["curve25519-sha256"]);
    expect(negotiated).toEqual(["curve25519-sha256"]);
    client.end();
  });

  test.each([
    { what: "a share that is too short", share: Buffer.alloc(1215) },
    { what: "a share that is too long", share: Buffer.alloc(1217) },
    { what: "an encapsulation key beyond the modulus", share: Buffer.alloc(1216, 0xff) },
    { what: "an X25519 point of low order", share: lowOrderShare() },
  ])("refuses $what", async ({ share }) => {
    using client = await rawClient(server.port);
    client.send(kexInit({ kex: OFFER }), new SshWriter().uint8(30).string(share).toBuffer());
    await endsSoon(client);
    expect(client.received).not.toContain(31);
    expect(client.received).toContain(1);
  });

  test("keeps little of a client while it computes, and of a server what windows carry", async () => {
    type Inside = { _protocol: { hold(): void; parse(chunk: Buffer, at: number, end: number): void } };
    const take = ({ _protocol: protocol }: Inside, bytes: number): void => {
      protocol.hold();
      protocol.parse(Buffer.alloc(bytes), 0, bytes);
    };
    const { client } = await connectClient(ALGORITHMS.kex);
    const connection = server.connections.at(-1) as unknown as Inside;
    take(connection, 256 * 1024);
    expect(() => take(connection, 256 * 1024 + 1)).toThrow("Too much data during key exchange");
    take(client as unknown as Inside, 4 * 1024 * 1024);
    client.destroy();
  });

  test("takes nothing for an answer while it computes", async () => {
    using client = await rawClient(server.port);
    client.send(kexInit({ kex: OFFER }), hybridShare(), plausible(30), plausible(21));
    await endsSoon(client);
    expect(client.received).toContain(1);
  });
});

describe("a guessed first packet (RFC 4253 section 7)", () => {
  const kex = "diffie-hellman-group14-sha256,curve25519-sha256";
  test("that is wrong is dropped, and the right one taken", async () => {
    using client = await rawClient(server.port);
    client.send(kexInit({ kex, follows: true }), plausible(30), plausible(30));
    await until(() => client.received.includes(21));
  });
  test("that is right is taken", async () => {
    using client = await rawClient(server.port);
    client.send(kexInit({ kex: HYBRID, follows: true }), hybridShare());
    await until(() => client.received.includes(21));
  });
  test("is wrong too when the server would rather have another method", async () => {
    using client = await rawClient(server.port);
    client.send(kexInit({ kex: "curve25519-sha256", follows: true }), plausible(30), plausible(30));
    await until(() => client.received.includes(21));
  });
  test("is a packet of a key exchange, once", async () => {
    for (const payloads of [[plausible(90)], [plausible(30), plausible(30), plausible(30)]]) {
      using client = await rawClient(server.port);
      client.send(kexInit({ kex, follows: true }), ...payloads);
      await endsSoon(client);
      expect(client.received).toContain(1);
    }
  });
});

describe("a client of ours", () => {
  test("leaves a server that does no strict key exchange", async () => {
    const plain = new ssh2.Server({ hostKeys: [makeEd25519HostKey()] }, (c) => {
      c.on("error", () => {}).on("authentication", (context) => context.accept());
    });
    await new Promise<void>((done) => plain.listen(0, "127.0.0.1", () => done()));
    const client = new ssh2.Client();
    const violations: string[] = [];
    const closed = new Promise<void>((done) => client.on("close", () => done()));
    client
      .on("error", () => {})
      .connect({ host: "127.0.0.1", port: (plain.address() as { port: number }).port, username: "root" });
    guardClient(client, { onViolation: (what) => violations.push(what) });
    // The server's offer names strict key exchange; this client is made not to see it.
    const { _protocol: protocol } = client as unknown as { _protocol: { _strictMode: boolean } };
    Object.defineProperty(protocol, "_strictMode", { get: () => false, set: () => {} });
    await closed;
    expect(violations).toEqual(["a server without strict key exchange"]);
    plain.close();
  });
});

async function connectClient(kex: readonly string[]) {
  const client = new ssh2.Client();
  const negotiated: string[] = [];
  client.on("handshake", ({ kex: name }) => void negotiated.push(name));
  await new Promise<void>((done, fail) => {
    client.on("ready", () => done()).on("error", fail);
    client.connect({
      host: "127.0.0.1",
      port: server.port,
      username: "root",
      password: "right",
      algorithms: { ...ALGORITHMS, kex: [...kex] as typeof ALGORITHMS.kex },
    });
    guardClient(client);
  });
  return { client, negotiated };
}

function hybridShare(): Buffer {
  return new SshWriter().uint8(30).string(kemShare()).toBuffer();
}

/** An honest share; nobody keeps its private half. */
function kemShare(): Buffer {
  const kem = generateKeyPairSync("ml-kem-768" as "x25519").publicKey;
  const x25519 = generateKeyPairSync("x25519").publicKey;
  return Buffer.concat([
    kem.export({ type: "spki", format: "der" }).subarray(-1184),
    x25519.export({ type: "spki", format: "der" }).subarray(-32),
  ]);
}

function lowOrderShare(): Buffer {
  return kemShare().fill(0, 1184);
}

async function endsSoon(client: RawClient): Promise<void> {
  expect(await settles(client.closed)).toBe(true);
}
