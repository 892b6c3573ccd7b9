import { afterEach, describe, expect, test } from "bun:test";
import { closeSync, readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { systemClock } from "../../../src/base/clock.ts";
import { generateEd25519, sshBlobOfEd25519 } from "../../../src/base/ed25519.ts";
import {
  doneReading,
  dropOnce,
  forgetKeys,
  type KeyPair,
  keyFileNames,
  publishPair,
  startTimeOf,
  type Turn,
} from "../../../src/proxy/keys/key-files.ts";
import { opensshCertificate, opensshPrivateKey } from "../../../src/proxy/keys/openssh-key.ts";
import { loginKey, rawCertificate } from "../../support/certificates.ts";
import { tempFolder } from "../../support/temp-folder.ts";

const HOST = "web1.qf.internal";
const names = keyFileNames(HOST);

function aPair(change: Partial<KeyPair> = {}): KeyPair {
  return { privateKey: "key 1", certificate: "cert 1", isKept: true, readerPid: undefined, ...change };
}

function read(folder: string, name: string): string {
  return readFileSync(join(folder, name), "utf8");
}

const turns: Turn[] = [];
afterEach(() => {
  for (const { lockFd, watchFd } of turns.splice(0)) {
    closeSync(lockFd);
    closeSync(watchFd);
  }
});

async function publish(folder: string, pair: KeyPair): Promise<Turn | undefined> {
  const turn = await publishPair(folder, HOST, pair, systemClock);
  if (turn !== undefined) turns.push(turn);
  return turn;
}

function endTurn(folder: string): void {
  dropOnce(folder, HOST);
  for (const { lockFd, watchFd } of turns.splice(0)) {
    closeSync(lockFd);
    closeSync(watchFd);
  }
}

describe("publishPair", () => {
  test("replaces the certificate alone beside the key of a login that is kept", async () => {
    const folder = tempFolder();
    expect(await publish(folder, aPair())).toBeUndefined();
    const key = statSync(join(folder, names.key));
    expect(await publish(folder, aPair({ certificate: "cert 2" }))).toBeUndefined();
    expect(statSync(join(folder, names.key)).ino).toBe(key.ino);
    expect(read(folder, names.certificate)).toBe("cert 2");
    for (const name of [names.key, names.certificate]) {
      expect(statSync(join(folder, name)).mode & 0o777).toBe(0o600);
    }
  });

  test("never puts another key beside a certificate that could be in use", async () => {
    const folder = tempFolder();
    await publish(folder, aPair());
    const turn = await publish(folder, aPair({ privateKey: "key 2", certificate: "cert 2" }));
    expect(turn).toBeDefined();
    expect([read(folder, names.key), read(folder, names.certificate)]).toEqual(["key 1", "cert 1"]);
    expect([read(folder, names.onceKey), read(folder, names.onceCertificate)]).toEqual(["key 2", "cert 2"]);
  });

  test("puts another key in its place once no certificate beside it can be in use", async () => {
    const folder = tempFolder();
    await publish(folder, aPair());
    const longAgo = new Date(systemClock.nowMs() - 201_000);
    utimesSync(join(folder, names.certificate), longAgo, longAgo);
    expect(await publish(folder, aPair({ privateKey: "key 2", certificate: "cert 2" }))).toBeUndefined();
    expect([read(folder, names.key), read(folder, names.certificate)]).toEqual(["key 2", "cert 2"]);
  });

  test("gives a login that is not kept its turn, one at a time", async () => {
    const folder = tempFolder();
    await publish(folder, aPair({ isKept: false }));
    let isNext = false;
    const next = publish(folder, aPair({ isKept: false, privateKey: "key 2" })).then((turn) => {
      isNext = true;
      return turn;
    });
    await Bun.sleep(50);
    expect([isNext, read(folder, names.onceKey)]).toEqual([false, "key 1"]);
    endTurn(folder);
    expect(await next).toBeDefined();
    expect(read(folder, names.onceKey)).toBe("key 2");
    endTurn(folder);
    expect(readdirSync(folder).filter((name) => name.endsWith("-cert.pub"))).toEqual([]);
    expect(read(folder, names.onceKey)).not.toBe("key 2");
  });

  test("lets nobody begin to read while a turn lasts, and no turn begin while somebody reads", async () => {
    const folder = tempFolder();
    const reader = Bun.spawn(["sleep", "60"]);
    const pid = String(reader.pid);
    try {
      await publish(folder, aPair({ readerPid: pid }));
      const turn = publish(folder, aPair({ isKept: false, privateKey: "key 2" }));
      await Bun.sleep(50);
      expect(readdirSync(folder)).not.toContain(names.onceCertificate);
      doneReading(folder, HOST, pid);
      expect(await turn).toBeDefined();
      let isPublished = false;
      const kept = publish(folder, aPair({ certificate: "cert 3", readerPid: pid })).then(() => {
        isPublished = true;
      });
      await Bun.sleep(50);
      expect([isPublished, read(folder, names.certificate)]).toEqual([false, "cert 1"]);
      endTurn(folder);
      await kept;
      expect(read(folder, names.certificate)).toBe("cert 3");
    } finally {
      reader.kill();
    }
  });

  test("does not wait for a reader that is gone, nor for another process of its number", async () => {
    const folder = tempFolder();
    writeFileSync(join(folder, `${names.reading}${process.pid}`), "1");
    writeFileSync(join(folder, `${names.reading}4194304`), "1");
    expect(await publish(folder, aPair({ isKept: false }))).toBeDefined();
    expect(readdirSync(folder).filter((name) => name.startsWith(names.reading))).toEqual([]);
    expect(startTimeOf(String(process.pid))).toMatch(/^\d+$/);
    expect(startTimeOf("4194304")).toBeUndefined();
  });

  test("takes away what a killed helper left, before anybody could try it", async () => {
    const folder = tempFolder();
    writeFileSync(join(folder, names.onceKey), "old");
    writeFileSync(join(folder, names.onceCertificate), "old");
    await publish(folder, aPair());
    expect(readdirSync(folder)).not.toContain(names.onceCertificate);
    expect(read(folder, names.onceKey)).not.toBe("old");
  });
});

test("a new login takes away what others left at other hosts, once it cannot be in use", async () => {
  const folder = tempFolder();
  await publishPair(folder, "a.qf.internal", aPair(), systemClock);
  await publishPair(folder, "b.qf.internal", aPair(), systemClock);
  const longAgo = new Date(systemClock.nowMs() - 201_000);
  utimesSync(join(folder, "a.qf.internal-cert.pub"), longAgo, longAgo);
  await publishPair(folder, HOST, aPair({ privateKey: "key 2" }), systemClock);
  const left = readdirSync(folder);
  expect(left).not.toContain("a.qf.internal");
  expect(left).toContain("b.qf.internal");
  forgetKeys(folder);
  expect(readdirSync(folder).filter((name) => !/_(?:once|turn)$/.test(name))).toEqual([]);
});

test("OpenSSH reads the private key and the certificate, and they belong together", () => {
  const folder = tempFolder();
  const path = join(folder, "key");
  writeFileSync(path, opensshPrivateKey(loginKey), { mode: 0o600 });
  writeFileSync(`${path}-cert.pub`, opensshCertificate(rawCertificate()));
  const publicKey = Bun.spawnSync(["ssh-keygen", "-y", "-f", path]).stdout.toString().split(" ")[1];
  expect(publicKey).toBe(sshBlobOfEd25519(loginKey.publicKey).toString("base64"));
  const listed = Bun.spawnSync(["ssh-keygen", "-L", "-f", `${path}-cert.pub`]).stdout.toString();
  expect(listed).toContain("Type: ssh-ed25519-cert-v01@openssh.com user certificate");
});

test("the same key is the same file, another is another", () => {
  expect(opensshPrivateKey(loginKey)).toBe(opensshPrivateKey(loginKey));
  expect(opensshPrivateKey(loginKey)).not.toBe(opensshPrivateKey(generateEd25519()));
});
