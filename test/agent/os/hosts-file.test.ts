import { beforeEach, expect, test } from "bun:test";
import { chmodSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { open } from "node:fs/promises";
import { dirname, join } from "node:path";
import { hasHostNames, withHostNames, writeHostNames } from "../../../src/agent/os/hosts-file.ts";
import { tryLock } from "../../../src/base/file-lock.ts";
import { anId } from "../../support/policy.ts";
import { tempFolder } from "../../support/temp-folder.ts";

const PEER = anId("bastion");
const WEB1 = { address: "100.64.0.2", names: ["web1.qf.internal"] };
const WEB2 = { address: "100.64.0.3", names: ["web2.qf.internal"] };
const OURS = `# BEGIN qufabric ${PEER}: written by qf agent up --resolver
100.64.0.2 web1.qf.internal
# END qufabric ${PEER}`;

let path: string;
let lock: string;
beforeEach(() => {
  path = join(tempFolder(), "hosts");
  lock = join(tempFolder(), "lock");
});

test.each([
  ["behind what is there", "127.0.0.1 localhost\n", `127.0.0.1 localhost\n${OURS}\n`],
  ["behind a last line without its end", "127.0.0.1 localhost", `127.0.0.1 localhost\n${OURS}`],
  ["in an empty file", "", `${OURS}\n`],
  ["in its place", `a\n${OURS.replace("web1", "old")}\nb\n`, `a\n${OURS}\nb\n`],
  [
    "beside those of another agent",
    `${OURS.replaceAll(PEER, anId("other"))}\n`,
    `${OURS.replaceAll(PEER, anId("other"))}\n${OURS}\n`,
  ],
  [
    "without guessing where a block without an end ends",
    `# BEGIN qufabric ${PEER}: written by qf agent up --resolver\n10.0.0.1 mine\n`,
    `# BEGIN qufabric ${PEER}: written by qf agent up --resolver\n10.0.0.1 mine\n${OURS}\n`,
  ],
])("names are written %s", (_where, before, after) => {
  expect(withHostNames(before, PEER, [WEB1])).toBe(after);
});

test("a file is as it was once the names are taken away, whatever they were", async () => {
  const before = "127.0.0.1 localhost\n\n# by hand\n10.0.0.1 db\n";
  writeFileSync(path, before);
  chmodSync(path, 0o640);
  await writeHostNames(PEER, [WEB1, WEB2], { path, lock });
  expect(readFileSync(path, "utf8")).toContain("100.64.0.3 web2.qf.internal\n");
  expect(hasHostNames(PEER, path)).toBe(true);
  expect(hasHostNames(anId("other"), path)).toBe(false);
  await writeHostNames(PEER, [WEB2], { path, lock });
  expect(readFileSync(path, "utf8")).not.toContain("web1");
  await writeHostNames(PEER, [], { path, lock });
  expect(readFileSync(path, "utf8")).toBe(before);
  expect(statSync(path).mode & 0o777).toBe(0o640);
});

test("agents that write at once lose none of each other's lines, and leave nothing beside the file", async () => {
  writeFileSync(path, "127.0.0.1 localhost\n");
  const peers = Array.from({ length: 12 }, (_, i) => anId(`agent${i}`));
  await Promise.all(peers.map((peer) => writeHostNames(peer, [WEB1], { path, lock })));
  expect(peers.filter((peer) => !hasHostNames(peer, path))).toEqual([]);
  await Promise.all(peers.map((peer) => writeHostNames(peer, [], { path, lock })));
  expect(readFileSync(path, "utf8")).toBe("127.0.0.1 localhost\n");
  expect(readdirSync(dirname(path))).toEqual(["hosts"]);
});

test("a lock that any user may hold on the folder keeps no names out", async () => {
  writeFileSync(path, "");
  const folder = await open(dirname(path));
  expect(tryLock(folder.fd)).toBe(true);
  await writeHostNames(PEER, [WEB1], { path, lock });
  await folder.close();
  expect(hasHostNames(PEER, path)).toBe(true);
  expect(statSync(lock).mode & 0o777).toBe(0o600);
});

test("a lock that is a link is not followed, and nothing is written then", async () => {
  writeFileSync(path, "");
  symlinkSync(join(dirname(lock), "target"), lock);
  await expect(writeHostNames(PEER, [WEB1], { path, lock })).rejects.toThrow();
  expect(readFileSync(path, "utf8")).toBe("");
  expect(readdirSync(dirname(lock))).toEqual(["lock"]);
});

test("what an agent that was killed left beside the file goes with the next write", async () => {
  writeFileSync(path, "");
  writeFileSync(`${path}.qufabric-0123456789abcdefghij`, "half");
  await writeHostNames(PEER, [], { path, lock });
  expect(readdirSync(dirname(path))).toEqual(["hosts"]);
});

test("a link that somebody has laid beside the file is not written through", async () => {
  writeFileSync(path, "");
  const target = join(dirname(path), "target");
  writeFileSync(target, "untouched");
  symlinkSync(target, `${path}.qufabric`);
  await writeHostNames(PEER, [WEB1], { path, lock });
  expect(readFileSync(target, "utf8")).toBe("untouched");
  expect(hasHostNames(PEER, path)).toBe(true);
});

test("a system without such a file gets one, and is without it once the names are taken away", async () => {
  await writeHostNames(PEER, [WEB1], { path, lock });
  expect(readFileSync(path, "utf8")).toBe(`${OURS}\n`);
  expect(statSync(path).mode & 0o777).toBe(0o644);
  await writeHostNames(PEER, [], { path, lock });
  expect(readdirSync(dirname(path))).toEqual([]);
});
