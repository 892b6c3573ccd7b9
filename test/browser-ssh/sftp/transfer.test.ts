/** Files by the page's SFTP client, with Debian's sshd and with our agent's server. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { SshConnection } from "../../../src/browser-ssh/connection.ts";
import { openSftp, type SftpClient } from "../../../src/browser-ssh/sftp/sftp-client.ts";
import { download, upload } from "../../../src/browser-ssh/sftp/transfer.ts";
import { hasSshd } from "../../support/beside-sshd.ts";
import { isRoot, OsAccount } from "../../support/os-accounts.ts";
import { failureOf, openPageAgent, openPageSshd, type PageServer } from "../../support/page-ssh.ts";

const SERVERS = [
  ["sshd", (user: string) => openPageSshd(user)],
  ["our agent", () => openPageAgent()],
] as const;

const bytesOf = (length: number): Uint8Array<ArrayBuffer> =>
  Uint8Array.from({ length }, (_, index) => (index * 7919) >> 5);

describe.skipIf(!isRoot || !hasSshd).each(SERVERS)("with %s", (_name, open) => {
  let account: OsAccount;
  let server: PageServer;
  let connection: SshConnection;
  let client: SftpClient;
  beforeAll(async () => {
    account = new OsAccount("sftp");
    server = await open(account.name);
    connection = await server.connect(account.name);
    client = await openSftp(connection);
  });
  afterAll(async () => {
    connection?.close();
    await server?.[Symbol.asyncDispose]();
    account?.[Symbol.dispose]();
  });

  test("says where it is, and what is there", async () => {
    expect(await client.realpath(".")).toBe(account.home);
    writeFileSync(join(account.home, "grün.txt"), "hello");
    await client.makeFolder(`${account.home}/folder`);
    const files = await client.list(account.home);
    expect(files.find(({ name }) => name === "grün.txt")).toMatchObject({ kind: "file", size: 5 });
    expect(files.find(({ name }) => name === "folder")).toMatchObject({ kind: "folder" });
    expect(files.some(({ name }) => name === "." || name === "..")).toBe(false);
    expect(await client.statIfAny(`${account.home}/nothing`)).toBeNull();
    expect((await client.list("/usr/bin")).length).toBeGreaterThan(100);
  });

  test.each([0, 1, 32_768, 32_769, 262_144, 1_000_017])("%d bytes go there and come back", async (length) => {
    const bytes = bytesOf(length);
    const path = join(account.home, `file-${length}`);
    let sent = 0;
    const onProgress = (so: number) => {
      sent = so;
    };
    await upload(client, new Blob([bytes]), { path, replace: false, onProgress });
    expect([sent, Bun.hash(readFileSync(path))]).toEqual([length, Bun.hash(bytes)]);
    const parts: Uint8Array<ArrayBuffer>[] = [];
    const got = await download(client, path, { onBytes: (part) => void parts.push(part.slice()) });
    expect([got, Bun.hash(await new Blob(parts).arrayBuffer())]).toEqual([length, Bun.hash(bytes)]);
  });

  test("a file that is there is replaced only when that is said", async () => {
    const path = join(account.home, "kept");
    writeFileSync(path, "old and longer");
    const put = (replace: boolean) => upload(client, new Blob(["new"]), { path, replace });
    expect(await failureOf(put(false))).toMatchObject({ code: "refused" });
    expect(readFileSync(path, "utf8")).toBe("old and longer");
    Bun.spawnSync(["chown", account.name, path]);
    await put(true);
    expect(readFileSync(path, "utf8")).toBe("new");
  });

  test("what is broken off leaves nothing", async () => {
    const path = join(account.home, "half");
    const abort = new AbortController();
    const going = upload(client, new Blob([bytesOf(3_000_000)]), {
      ...{ path, replace: false, signal: abort.signal },
      onProgress: (bytes) => bytes > 100_000 && abort.abort(),
    });
    expect(await failureOf(going)).toMatchObject({ name: "AbortError" });
    expect(statSync(path, { throwIfNoEntry: false })).toBeUndefined();
  });

  test("renames what is there to a free name, and deletes files and empty folders", async () => {
    const at = (name: string): string => join(account.home, name);
    await client.makeFolder(at("old folder"));
    await client.rename(at("old folder"), at("new folder"));
    await upload(client, new Blob(["x"]), { path: at("new folder/one"), replace: false });
    await upload(client, new Blob(["y"]), { path: at("two"), replace: false });
    const refused = [client.rename(at("two"), at("new folder/one")), client.removeFolder(at("new folder"))];
    for (const work of refused) expect(await failureOf(work)).toMatchObject({ code: "refused" });
    expect(readFileSync(at("new folder/one"), "utf8")).toBe("x");
    await client.rename(at("new folder/one"), at("three"));
    await client.removeFolder(at("new folder"));
    await client.remove(at("three"));
    const names = (await client.list(account.home)).map(({ name }) => name);
    expect(names.filter((name) => /folder$|three/.test(name) && name !== "folder")).toEqual([]);
  });

  test.each([
    ["a file that is not there", () => download(client, "/nothing/at/all", { onBytes: () => {} })],
    ["a file of others", () => download(client, "/etc/shadow", { onBytes: () => {} })],
    ["a folder that is not there", () => client.list("/nothing")],
    [
      "a place where one may not write",
      () => upload(client, new Blob(["x"]), { path: "/x", replace: false }),
    ],
  ])("%s is refused with a sentence, and the next request is answered", async (_what, work) => {
    expect(await failureOf(work())).toMatchObject({ code: "refused", message: expect.stringMatching(/^\w/) });
    expect(await client.realpath("/")).toBe("/");
  });
});
