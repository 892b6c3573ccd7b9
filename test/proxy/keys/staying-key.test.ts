/** The key file where `qf` stays between ssh and the machine: macOS and Windows. */
import { expect, test } from "bun:test";
import { existsSync, readFileSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { systemClock } from "../../../src/base/clock.ts";
import { generateEd25519 } from "../../../src/base/ed25519.ts";
import { opensshPrivateKey } from "../../../src/proxy/keys/openssh-key.ts";
import { dropStale, STAYING_MS } from "../../../src/proxy/keys/stale-key.ts";
import { publishStaying } from "../../../src/proxy/keys/staying-key.ts";
import { loginKey } from "../../support/certificates.ts";
import { tempFolder } from "../../support/temp-folder.ts";

const HOST = "web1.qf.internal";
const first = opensshPrivateKey(loginKey, Buffer.from("certificate 1"));
const renewed = opensshPrivateKey(loginKey, Buffer.from("certificate 2"));
const other = opensshPrivateKey(generateEd25519(), Buffer.from("certificate 3"));
const read = (folder: string) => readFileSync(join(folder, HOST), "utf8");
const age = (folder: string, ms: number) => {
  const seconds = (systemClock.nowMs() - ms) / 1000;
  utimesSync(join(folder, HOST), seconds, seconds);
};

test("is there until the connection ends, for its owner alone", async () => {
  const folder = tempFolder();
  const key = await publishStaying(folder, HOST, first, systemClock);
  expect(read(folder)).toBe(first);
  key.remove();
  expect(existsSync(join(folder, HOST))).toBe(false);
});

test("a renewed certificate does not wait, and is not removed by the one before", async () => {
  const folder = tempFolder();
  const before = await publishStaying(folder, HOST, first, systemClock);
  const after = await publishStaying(folder, HOST, renewed, systemClock);
  before.remove();
  expect(read(folder)).toBe(renewed);
  after.remove();
  expect(existsSync(join(folder, HOST))).toBe(false);
});

test("another key waits until the one before is gone", async () => {
  const folder = tempFolder();
  const before = await publishStaying(folder, HOST, first, systemClock);
  const waiting = publishStaying(folder, HOST, other, systemClock);
  expect(read(folder)).toBe(first);
  before.remove();
  const after = await waiting;
  expect(read(folder)).toBe(other);
  after.remove();
});

test("another key gives up after a minute", async () => {
  const folder = tempFolder();
  const before = await publishStaying(folder, HOST, first, systemClock);
  let monotonicMs = 0;
  const hurried = {
    ...systemClock,
    nowMs: () => systemClock.nowMs(),
    monotonicMs: () => (monotonicMs += 61_000),
  };
  const failed = publishStaying(folder, HOST, other, hurried);
  await expect(failed).rejects.toMatchObject({ code: "ERR_TIMEOUT" });
  expect(read(folder)).toBe(first);
  before.remove();
});

test("what a killed connection left is replaced, and removed before ssh looks", async () => {
  const folder = tempFolder();
  writeFileSync(join(folder, HOST), first);
  dropStale(folder, HOST, systemClock);
  expect(read(folder)).toBe(first);
  age(folder, STAYING_MS);
  const key = await publishStaying(folder, HOST, other, systemClock);
  expect(read(folder)).toBe(other);
  age(folder, STAYING_MS);
  dropStale(folder, HOST, systemClock);
  expect(existsSync(join(folder, HOST))).toBe(false);
  key.remove();
});
