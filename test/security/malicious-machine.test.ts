/**
 * A malicious machine that records all it receives cannot use it: not at another machine, not at the
 * same one, not at the API, not by relabelling or claiming a token again.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { Client, utils } from "ssh2";
import { makeEd25519HostKey } from "../../src/agent/state/host-keys.ts";
import { type Ed25519Key, ed25519FromSeed, generateEd25519, signEd25519 } from "../../src/base/ed25519.ts";
import { sha256 } from "../../src/base/random.ts";
import { parseCertificate } from "../../src/certificate/parse.ts";
import { createClientApi } from "../../src/client/client-api.ts";
import { makeHello, parseHello } from "../../src/fabric/hello.ts";
import { EXTENSION_ID_TOKEN, EXTENSION_IDENTITY, OPTION_PEER } from "../../src/wire/certificate.ts";
import { HELLO_PREFIX } from "../../src/wire/hello.ts";
import { signedBytes } from "../../src/wire/signed-fields.ts";
import type { Lab, LabAgent, LabDevice, Person } from "../support/lab.ts";
import { isRoot, type OsAccount } from "../support/os-accounts.ts";
import { openSetUp, type SetUp } from "../support/set-up.ts";
import { type Capture, openTrap, sshPort } from "../support/ssh-trap.ts";

describe.skipIf(!isRoot)("a malicious machine", () => {
  let setUp: SetUp;
  let lab: Lab;
  let account: OsAccount;
  let good: LabAgent;
  let evil: LabAgent;
  let person: Person;
  let device: LabDevice;
  let capture: Capture;
  const captures: Capture[] = [];

  beforeAll(async () => {
    setUp = await openSetUp({ accounts: [["victim"]], machines: { good: [], evil: [] }, login: false });
    ({ lab, account, person, agent: good, device } = setUp);
    const { servers } = setUp;
    evil = setUp.machine("evil");
    // The evil machine may reach the good one: only the stolen things are in question.
    await lab.createPolicy("net", [servers], [servers], { protocol: "tcp", ports: ["22"] });
    await using trap = await openTrap(evil, captures);
    await evil.up(["--advertise", `127.0.0.1:${trap.port}`]);
    await device.login();
    const result = await device.ssh([`${account.name}@evil`, "id"]);
    expect(result.stdout).toBe("captured\n");
    expect(captures).toHaveLength(1);
    capture = captures[0] as Capture;
  }, 120_000);

  afterAll(async () => {
    await setUp?.[Symbol.asyncDispose]();
  });

  const nowSeconds = (): number => Math.floor((performance.timeOrigin + performance.now()) / 1000);
  const idToken = (): string => {
    const extension = parseCertificate(capture.certificate).idToken;
    expect(extension).toMatch(/^eyJ/);
    return extension ?? "";
  };
  const ownKey = (): Ed25519Key =>
    ed25519FromSeed(JSON.parse(readFileSync(join(evil.stateDir, "device-key.json"), "utf8")).seed);

  /** Connects to `target` with the captured certificate; `sign` makes the signature. */
  async function present(target: LabAgent, sign: (data: Buffer) => Buffer, hello?: string): Promise<string> {
    const { accountId, origin } = await createClientApi({ url: lab.url }).config();
    const [self, other] = await Promise.all([evil.status(), target.status()]);
    const line =
      hello ??
      makeHello({
        deviceKey: ownKey(),
        scope: { accountId, origin },
        source: self.self?.peerId ?? "",
        target: other.self?.peerId ?? "",
        port: 22,
        nowSeconds: nowSeconds(),
      });
    const socket = connect({ host: "127.0.0.1", port: await sshPort(target) });
    socket.write(line.endsWith("\n") ? line : `${line}\n`);
    const key = utils.parseKey(makeEd25519HostKey());
    if (key instanceof Error) throw key;
    Object.assign(key, {
      type: "ssh-ed25519-cert-v01@openssh.com",
      getPublicSSH: () => capture.certificate,
      sign,
    });
    return new Promise((resolve) => {
      const client = new Client();
      const timer = setTimeout(() => resolve("timeout"), 8_000);
      const end = (what: string) => {
        clearTimeout(timer);
        client.destroy();
        resolve(what);
      };
      client.on("ready", () => end("IN"));
      client.on("error", () => end("refused"));
      client.on("close", () => end("refused"));
      client.connect({
        sock: socket,
        username: account.name,
        hostVerifier: () => true,
        readyTimeout: 7_000,
        authHandler: [{ type: "publickey", username: account.name, key: key as never }] as never,
      });
    });
  }

  test("cannot be the person at another machine, with its own key or the captured signature", async () => {
    const mine = generateEd25519();
    const own = (data: Buffer) => Buffer.from(signEd25519(mine, data), "base64url");
    expect(await present(good, own)).toBe("refused");
    expect(await present(good, () => capture.signature)).toBe("refused");
  });

  test("cannot be the person at the same machine later", async () => {
    const mine = generateEd25519();
    expect(await present(evil, (data) => Buffer.from(signEd25519(mine, data), "base64url"))).toBe("refused");
    expect(await present(evil, () => capture.signature)).toBe("refused");
  });

  /** What `target` sends to whoever begins with `line`: its version, or nothing at all. */
  async function answerTo(target: LabAgent, line: string): Promise<string> {
    const socket = connect({ host: "127.0.0.1", port: await sshPort(target) });
    socket.write(`${line}\n`);
    const received: Buffer[] = [];
    return new Promise((resolve) => {
      const timer = setTimeout(() => socket.destroy(), 8_000);
      socket.on("error", () => {});
      socket.on("data", (bytes: Buffer) => {
        received.push(bytes);
        socket.destroy();
      });
      socket.on("close", () => {
        clearTimeout(timer);
        resolve(Buffer.concat(received).toString("latin1", 0, 8));
      });
    });
  }

  async function freshHello(target: LabAgent): Promise<string> {
    const { accountId, origin } = await createClientApi({ url: lab.url }).config();
    const [self, other] = await Promise.all([evil.status(), target.status()]);
    return makeHello({
      ...{ deviceKey: ownKey(), scope: { accountId, origin }, port: 22, nowSeconds: nowSeconds() },
      ...{ source: self.self?.peerId ?? "", target: other.self?.peerId ?? "" },
    }).trimEnd();
  }

  test("cannot replay the hello of the person's device, of which no machine says a word", async () => {
    // Its own hello opens the door once: only the captured one, and the second time, are in question.
    const own = await freshHello(good);
    expect(await answerTo(good, own)).toBe("SSH-2.0-");
    expect(await answerTo(good, own)).toBe("");
    expect(await answerTo(good, capture.hello)).toBe("");
    // It is for the evil machine, which took it at its own door and could take it once.
    expect(await answerTo(evil, capture.hello)).toBe("SSH-2.0-");
    expect(await answerTo(evil, capture.hello)).toBe("");
  });

  test("cannot turn the captured hello into one for another machine, port or time", async () => {
    const target = (await good.status()).self?.peerId ?? "";
    const { hello, signature } = parseHello(capture.hello) ?? {};
    expect(hello?.target).toBe((await evil.status()).self?.peerId ?? "");
    const turned = [{}, { port: 22022 }, { nonce: "A".repeat(22) }, { timeSeconds: nowSeconds() }];
    for (const change of turned) {
      const body = Buffer.from(JSON.stringify({ ...hello, target, ...change })).toString("base64url");
      expect(await answerTo(good, `${HELLO_PREFIX}${body} ${signature}`)).toBe("");
    }
    expect(await answerTo(good, await freshHello(good))).toBe("SSH-2.0-");
  });

  test("cannot call the API with the ID token under any name", async () => {
    const token = idToken();
    for (const authorization of [`Bearer ${token}`, `Token ${token}`, token, `bearer ${token}`]) {
      for (const path of ["/api/users/current", "/api/peers", "/api/policies"]) {
        const response = await fetch(`${lab.url}${path}`, { headers: { authorization } });
        expect(response.status).toBe(401);
      }
    }
    const userinfo = await fetch(`${lab.issuer}/me`, { headers: { authorization: `Bearer ${token}` } });
    expect(userinfo.status).toBeGreaterThanOrEqual(400);
  });

  /** Tries to register a device and to mint with `token`, as the attacker with a login key of its own. */
  async function claim(token: string): Promise<string[]> {
    const api = createClientApi({ url: lab.url });
    const scope = await api.config();
    const loginKey = generateEd25519();
    const deviceKey = generateEd25519();
    const outcomes: string[] = [];
    const attempt = async (what: () => Promise<unknown>) => {
      outcomes.push(
        await what().then(
          () => "accepted",
          (error: { code?: string }) => String(error.code),
        ),
      );
    };
    await attempt(async () => {
      const { challenge } = await api.challenge();
      const timeSeconds = nowSeconds();
      const bytes = signedBytes("register", scope, {
        challenge,
        loginKey: loginKey.publicKey,
        deviceKey: deviceKey.publicKey,
        proofHash: sha256(token),
        timeSeconds,
      });
      await api.registerDevice({
        challenge,
        timeSeconds,
        loginKey: loginKey.publicKey,
        deviceKey: deviceKey.publicKey,
        proof: { kind: "id_token", idToken: token },
        facts: { hostname: "evil", os: "linux", kernelVersion: "6", version: "1" },
        loginSignature: signEd25519(loginKey, bytes),
        deviceSignature: signEd25519(deviceKey, bytes),
      });
    });
    await attempt(async () => {
      const { challenge } = await api.challenge();
      const timeSeconds = nowSeconds();
      const devicePeerId = (await evil.status()).self?.peerId ?? "";
      const fields = {
        challenge,
        loginKey: loginKey.publicKey,
        devicePeerId,
        proofHash: sha256(token),
        target: "good",
        localUser: account.name,
        timeSeconds,
      };
      const bytes = signedBytes("mint", scope, fields);
      const answer = await api.certificate({
        challenge,
        timeSeconds,
        loginKey: loginKey.publicKey,
        devicePeerId,
        proof: { kind: "id_token", idToken: token },
        target: "good",
        localUser: account.name,
        loginSignature: signEd25519(loginKey, bytes),
        deviceSignature: signEd25519(ownKey(), bytes),
      });
      if (answer.outcome === "denied") throw Object.assign(new Error(), { code: answer.reason });
    });
    return outcomes;
  }

  test("cannot claim the ID token for a key of its own, as it is or relabelled", async () => {
    const token = idToken();
    const [header = "", payload = "", signature = ""] = token.split(".");
    const claims = JSON.parse(Buffer.from(payload, "base64url").toString());
    const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");
    const { nonce: _, ...withoutNonce } = claims;
    const relabelled = [
      token,
      `${header}.${encode(withoutNonce)}.${signature}`,
      `${encode({ alg: "none" })}.${encode(withoutNonce)}.${signature}`,
      `${encode({ alg: "HS256", typ: "JWT" })}.${payload}.${signature}`,
      `${encode({ ...JSON.parse(Buffer.from(header, "base64url").toString()), typ: "qufabric-login+jwt" })}.${payload}.${signature}`,
    ];
    for (const one of relabelled) {
      for (const outcome of await claim(one)) expect(outcome).not.toBe("accepted");
    }
  });

  test("is sent what the certificate says, one method and one command, and nothing else", () => {
    const { critical, extensions } = optionsOf(capture.certificate);
    expect(critical).toEqual([OPTION_PEER]);
    expect(extensions).toEqual([EXTENSION_ID_TOKEN, EXTENSION_IDENTITY]);
    const claims = JSON.parse(Buffer.from(idToken().split(".")[1] ?? "", "base64url").toString());
    // `acr` tells one password from the next by a digest of its salted hash, and nothing of the password.
    expect(Object.keys(claims).sort()).toEqual([
      "acr",
      "aud",
      "auth_time",
      "email",
      "exp",
      "iat",
      "iss",
      "name",
      "nonce",
      "sub",
    ]);
    expect(capture.tried).toEqual(["publickey"]);
    expect(capture.requests.filter((request) => !/^env (?:LANG|LC_[A-Z]+)$/.test(request))).toEqual([
      "exec id",
    ]);
    for (const sent of [capture.signed, capture.certificate, Buffer.from(capture.hello)]) {
      expect(sent.includes(Buffer.from(person.password))).toBe(false);
    }
  });
});

/** Names of the critical options and extensions of a certificate (PROTOCOL.certkeys of OpenSSH). */
function optionsOf(blob: Buffer): { readonly critical: string[]; readonly extensions: string[] } {
  let at = 0;
  const string = (): Buffer => {
    const start = at + 4;
    at = start + blob.readUInt32BE(at);
    return blob.subarray(start, at);
  };
  for (let field = 0; field < 3; field++) string();
  at += 8 + 4;
  for (let field = 0; field < 2; field++) string();
  at += 8 + 8;
  return { critical: namesOf(string()), extensions: namesOf(string()) };
}

function namesOf(options: Buffer): string[] {
  const names: string[] = [];
  for (let at = 0, odd = false; at < options.length; odd = !odd) {
    const end = at + 4 + options.readUInt32BE(at);
    if (!odd) names.push(options.toString("latin1", at + 4, end));
    at = end;
  }
  return names;
}
