import { expect, test } from "bun:test";
import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { systemClock } from "../../../src/base/clock.ts";
import {
  dropUnused,
  forgetReader,
  keyFileNames,
  noteAsked,
  noteReader,
  readers,
  replaceFile,
  startTimeOf,
} from "../../../src/proxy/keys/key-readers.ts";
import { tempFolder } from "../../support/temp-folder.ts";

const HOST = "web1.qf.internal";
const PID = String(process.pid);
const GONE = "4194304";

test("a process that lives is a reader until it is forgotten, and its key file stays so long", () => {
  const folder = tempFolder();
  replaceFile(join(folder, HOST), "key");
  noteReader(folder, HOST, PID);
  expect(readers(folder, HOST, systemClock)).toEqual([PID]);
  expect(readers(folder, "web2.qf.internal", systemClock)).toEqual([]);
  dropUnused(folder, HOST, systemClock);
  expect(existsSync(join(folder, HOST))).toBe(true);
  forgetReader(folder, HOST, PID);
  dropUnused(folder, HOST, systemClock);
  expect(readdirSync(folder)).toEqual([]);
});

test("one that is gone is none, and nothing is left of it", () => {
  const folder = tempFolder();
  noteReader(folder, HOST, GONE);
  expect(readers(folder, HOST, systemClock)).toEqual([]);
  expect(readdirSync(folder)).toEqual([]);
  expect(startTimeOf(PID)).toMatch(/^\d+$/);
  expect(startTimeOf(GONE)).toBeUndefined();
});

test("that host keys were asked for is noted of readers only, in private files", () => {
  const folder = tempFolder();
  const asked = join(folder, `${keyFileNames(HOST).asked}${PID}`);
  noteAsked(folder, HOST, PID);
  expect(existsSync(asked)).toBe(false);
  noteReader(folder, HOST, PID);
  noteAsked(folder, HOST, PID);
  expect(statSync(asked).mode & 0o777).toBe(0o600);
});
