/** The file that ssh reads for a host: who may replace it when, and that a single login leaves nothing. */
import { afterEach, describe, expect, test } from "bun:test";
import { closeSync, readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { systemClock } from "../../../src/base/clock.ts";
import { generateEd25519, sshBlobOfEd25519 } from "../../../src/base/ed25519.ts";
import { holdsKeyOf } from "../../../src/proxy/keys/held-key.ts";
import { forgetKeys, type KeyFile, publishKey, type Turn } from "../../../src/proxy/keys/key-files.ts";
import {
  dropKey,
  dropUnused,
  forgetReader,
  keyFileNames,
  noteAsked,
} from "../../../src/proxy/keys/key-readers.ts";
import { opensshPrivateKey } from "../../../src/proxy/keys/openssh-key.ts";
import { loginKey, rawCertificate } from "../../support/certificates.ts";
import { tempFolder } from "../../support/temp-folder.ts";

const HOST = "web1.qf.internal";
const names = keyFileNames(HOST);
const KEY_2 = generateEd25519();

const first = opensshPrivateKey(loginKey, Buffer.from("certificate 1"));
const renewed = opensshPrivateKey(loginKey, Buffer.from("certificate 2"));
const other = opensshPrivateKey(KEY_2, Buffer.from("certificate 3"));

const aFile = (change: Partial<KeyFile> = {}): KeyFile => ({
  text: first,
  isKept: true,
  readerPid: undefined,
  ...change,
});

const read = (folder: string): string => readFileSync(join(folder, names.key), "utf8");

const turns: Turn[] = [];
function endTurns(): void {
  for (const { lockFd, watchFd } of turns.splice(0)) {
    closeSync(lockFd);
    closeSync(watchFd);
  }
}
afterEach(endTurns);

async function publish(folder: string, file: KeyFile): Promise<Turn | undefined> {
  const turn = await publishKey(folder, HOST, file, systemClock);
  if (turn !== undefined) turns.push(turn);
  return turn;
}

/** A process that can be noted as an ssh, and whether `work` is still waiting a moment later. */
async function withReader(work: (pid: string) => Promise<void>): Promise<void> {
  const reader = Bun.spawn(["sleep", "60"]);
  try {
    await work(String(reader.pid));
  } finally {
    reader.kill();
  }
}

function watched<T>(work: Promise<T>): { readonly done: Promise<T>; isDone: boolean } {
  const state = { done: work, isDone: false };
  void work.then(() => {
    state.isDone = true;
  });
  return state;
}

describe("publishKey", () => {
  test("renews the certificate of a kept login at once, whoever reads", () =>
    withReader(async (pid) => {
      const folder = tempFolder();
      expect(await publish(folder, aFile({ readerPid: pid }))).toBeUndefined();
      expect(await publish(folder, aFile({ text: renewed, readerPid: pid }))).toBeUndefined();
      expect(read(folder)).toBe(renewed);
      expect(statSync(join(folder, names.key)).mode & 0o777).toBe(0o600);
    }));

  test("puts no other key in its place while an ssh has not asked for host keys", () =>
    withReader(async (pid) => {
      const folder = tempFolder();
      await publish(folder, aFile({ readerPid: pid }));
      const next = watched(publish(folder, aFile({ text: other })));
      await Bun.sleep(60);
      expect([next.isDone, read(folder)]).toEqual([false, first]);
      forgetReader(folder, HOST, pid);
      await next.done;
      expect(read(folder)).toBe(other);
    }));

  test("nor while one that has asked may be about to sign", () =>
    withReader(async (pid) => {
      const folder = tempFolder();
      await publish(folder, aFile({ readerPid: pid }));
      noteAsked(folder, HOST, pid);
      const next = watched(publish(folder, aFile({ text: other })));
      await Bun.sleep(60);
      expect(next.isDone).toBe(false);
      const longAgo = new Date(systemClock.nowMs() - 3_100);
      utimesSync(join(folder, `${names.asked}${pid}`), longAgo, longAgo);
      await next.done;
      expect(read(folder)).toBe(other);
    }));

  test("waits neither for a reader that is gone nor for another process of its number", async () => {
    const folder = tempFolder();
    await publish(folder, aFile());
    writeFileSync(join(folder, `${names.reading}${process.pid}`), "1");
    writeFileSync(join(folder, `${names.reading}4194304`), "1");
    await publish(folder, aFile({ text: other }));
    expect(readdirSync(folder).filter((name) => name.startsWith(names.reading))).toEqual([]);
  });

  test("gives a login of a single connection its turn, one at a time, and leaves nothing of it", async () => {
    const folder = tempFolder();
    expect(await publish(folder, aFile({ isKept: false }))).toBeDefined();
    const next = watched(publish(folder, aFile({ isKept: false, text: other })));
    await Bun.sleep(60);
    expect([next.isDone, read(folder)]).toEqual([false, first]);
    dropKey(folder, HOST);
    endTurns();
    expect(await next.done).toBeDefined();
    expect(read(folder)).toBe(other);
    dropKey(folder, HOST);
    expect(readdirSync(folder)).toEqual([names.turn]);
  });
});

describe("dropUnused", () => {
  test("takes away what no ssh uses, so that the next finds nothing that is over", async () => {
    const folder = tempFolder();
    await publish(folder, aFile());
    dropUnused(folder, HOST, systemClock);
    expect(readdirSync(folder)).toEqual([names.turn]);
    dropUnused(folder, HOST, systemClock);
  });

  test("leaves what an ssh is about to read", () =>
    withReader(async (pid) => {
      const folder = tempFolder();
      await publish(folder, aFile({ readerPid: pid }));
      dropUnused(folder, HOST, systemClock);
      expect(read(folder)).toBe(first);
    }));
});

test("a new login takes away what others left at other hosts, and forgetKeys all of it", async () => {
  const folder = tempFolder();
  await publishKey(folder, "a.qf.internal", aFile(), systemClock);
  await publish(folder, aFile({ text: other }));
  expect(readdirSync(folder)).not.toContain("a.qf.internal");
  writeFileSync(join(folder, "account_domains"), "qf.internal\n");
  forgetKeys(folder);
  expect(readdirSync(folder).filter((name) => !name.endsWith("_turn"))).toEqual(["account_domains"]);
});

test("OpenSSH reads the certificate out of the private key file, or the plain key", () => {
  const folder = tempFolder();
  const path = join(folder, "key");
  const certificate = rawCertificate();
  writeFileSync(path, opensshPrivateKey(loginKey, certificate), { mode: 0o600 });
  const publicHalf = Bun.spawnSync(["ssh-keygen", "-y", "-f", path]).stdout.toString().split(" ");
  expect(publicHalf[0]).toBe("ssh-ed25519-cert-v01@openssh.com");
  expect(publicHalf[1]).toBe(Buffer.from(certificate).toString("base64"));
  writeFileSync(path, opensshPrivateKey(loginKey), { mode: 0o600 });
  const plain = Bun.spawnSync(["ssh-keygen", "-y", "-f", path]).stdout.toString().split(" ")[1];
  expect(plain).toBe(sshBlobOfEd25519(loginKey.publicKey).toString("base64"));
});

test("holdsKeyOf compares keys, whatever they certify", () => {
  expect(holdsKeyOf(first, renewed)).toBe(true);
  expect(holdsKeyOf(first, other)).toBe(false);
  expect(holdsKeyOf("", first)).toBe(false);
  expect(holdsKeyOf("no key", "no key")).toBe(false);
});
