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
import { makeHello } from "../../src/fabric/hello.ts";
import { EXTENSION_ID_TOKEN } from "../../src/wire/certificate.ts";
import { signedBytes } from "../../src/wire/signed-fields.ts";
import { type Lab, type LabAgent, type LabDevice, openLab, type Person } from "../support/lab.ts";
import { isRoot, OsAccount } from "../support/os-accounts.ts";
import { type Capture, openTrap, sshPort } from "../support/ssh-trap.ts";

describe.skipIf(!isRoot)("a malicious machine", () => {
  let lab: Lab;
  let account: OsAccount;
  let good: LabAgent;
  let evil: LabAgent;
  let person: Person;
  let device: LabDevice;
  let capture: Capture;
  const captures: Capture[] = [];

  beforeAll(async () => {
    account = new OsAccount("victim");
    lab = await openLab();
    const devs = await lab.createGroup("Developers");
    const servers = await lab.createGroup("Servers");
    person = await lab.createPerson("ada@example.com", [devs]);
    await lab.createPolicy("devs", [devs], [servers], { authorized_groups: { [devs]: [account.name] } });
    // The evil machine may reach the good one: only the stolen things are in question.
    await lab.createPolicy("net", [servers], [servers], { protocol: "tcp", ports: ["22"] });
    good = await lab.startAgent("good", { groups: [servers] });
    evil = await lab.startAgent("evil", { groups: [servers] });
    await using trap = await openTrap(evil, captures);
    await evil.up(["--advertise", `127.0.0.1:${trap.port}`]);
    device = lab.device(person, "laptop");
    await device.login();
    const result = await device.ssh([`${account.name}@evil`, "id"]);
    expect(result.stdout).toBe("captured\n");
    expect(captures).toHaveLength(1);
    capture = captures[0] as Capture;
  }, 120_000);

  afterAll(async () => {
    await lab?.[Symbol.asyncDispose]();
    account?.[Symbol.dispose]();
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

  test("cannot replay the hello of the person's device", async () => {
    expect(await present(good, () => capture.signature, capture.hello)).toBe("refused");
    expect(await present(evil, () => capture.signature, capture.hello)).toBe("refused");
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

  test("has learnt no more than the certificate says", () => {
    expect(EXTENSION_ID_TOKEN).toBe("id-token@qufabric");
    expect(capture.signed.includes(Buffer.from(person.password))).toBe(false);
    expect(capture.certificate.includes(Buffer.from(person.password))).toBe(false);
  });
});
