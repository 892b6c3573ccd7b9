/** The page's SSH client with Debian's sshd and with our agent's server, over loopback. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { type Bytes, concat, utf8 } from "../../src/browser-ssh/bytes.ts";
import type { SshConnection } from "../../src/browser-ssh/connection.ts";
import { startSession } from "../../src/browser-ssh/session.ts";
import { hasSshd } from "../support/beside-sshd.ts";
import { isRoot, OsAccount } from "../support/os-accounts.ts";
import { failureOf, openPageAgent, openPageSshd, type PageServer, pageKey } from "../support/page-ssh.ts";
import { until } from "../support/until.ts";

const SERVERS = [
  ["sshd", (user: string) => openPageSshd(user)],
  ["our agent", () => openPageAgent()],
] as const;

/** A command to its end. */
async function run(connection: SshConnection, command: string, input?: Bytes) {
  const parts: Bytes[] = [];
  const session = await startSession(connection, {
    ...{ terminal: null, run: { command } },
    onData: (bytes, _isError, used) => {
      parts.push(bytes.slice());
      used();
    },
  });
  if (input !== undefined) await session.write(input);
  session.eof();
  const end = await session.ended;
  return { ...end, bytes: concat(...parts), text: new TextDecoder().decode(concat(...parts)) };
}

describe.skipIf(!isRoot || !hasSshd).each(SERVERS)("with %s", (_name, open) => {
  let account: OsAccount;
  let server: PageServer;
  beforeAll(async () => {
    account = new OsAccount("page");
    server = await open(account.name);
  });
  afterAll(async () => {
    await server?.[Symbol.asyncDispose]();
    account?.[Symbol.dispose]();
  });

  test("a certificate of a key that cannot leave the page signs in, and a command runs", async () => {
    const connection = await server.connect(account.name);
    expect(await run(connection, "id -un; exit 3")).toMatchObject({
      ...{ text: `${account.name}\n`, status: 3, signal: null },
    });
    connection.close();
    expect(await connection.closed).toBeNull();
  });

  test("input comes back unharmed, over several key exchanges and more than a window", async () => {
    const rekey = { bytes: 1024 * 1024 };
    const connection = await server.connect(account.name, { rekey });
    const input = new Uint8Array(3 * 1024 * 1024 + 17);
    for (let at = 0; at < input.length; at += 65_536) crypto.getRandomValues(input.subarray(at, at + 65_536));
    const { bytes, status } = await run(connection, "cat", input);
    expect([status, bytes.length, Bun.hash(bytes)]).toEqual([0, input.length, Bun.hash(input)]);
    connection.close();
  }, 60_000);

  test("what is not used up is not made room for: a flood waits at the machine", async () => {
    const connection = await server.connect(account.name);
    let got = 0;
    const used: (() => void)[] = [];
    const session = await startSession(connection, {
      ...{ terminal: null, run: { command: "head -c 8000000 /dev/zero" } },
      onData: (bytes, _isError, free) => {
        got += bytes.length;
        used.push(free);
      },
    });
    await until("the window is full", () => got >= 2 * 1024 * 1024 - 32 * 1024);
    expect(await run(connection, "echo meanwhile")).toMatchObject({ text: "meanwhile\n" });
    expect(got).toBeLessThanOrEqual(2 * 1024 * 1024);
    const freeing = setInterval(() => {
      for (const free of used.splice(0)) free();
    }, 1);
    expect(await session.ended).toEqual({ status: 0, signal: null });
    clearInterval(freeing);
    expect(got).toBe(8_000_000);
    connection.close();
  }, 60_000);

  test("a shell on a terminal of its size, which changes; its signal is told", async () => {
    const connection = await server.connect(account.name);
    let text = "";
    const session = await startSession(connection, {
      ...{ terminal: { columns: 91, rows: 31 }, run: { shell: true }, environment: { LANG: "C.UTF-8" } },
      onData: (bytes, _isError, used) => {
        text += new TextDecoder().decode(bytes);
        used();
      },
    });
    await session.write(utf8("stty size; echo $TERM grün\n"));
    await until("its size", () => text.includes("31 91") && text.includes("xterm-256color grün"));
    session.resize({ columns: 133, rows: 40 });
    await session.write(utf8("stty size\n"));
    await until("the new size", () => text.includes("40 133"));
    await session.write(utf8("kill -KILL $$\n"));
    expect(await session.ended).toEqual({ status: null, signal: "KILL" });
    connection.close();
  }, 60_000);

  test("another host key ends it before anybody is signed in", async () => {
    const hostKeys = server.hostKeys.map((blob) => {
      const other = blob.slice();
      other[other.length - 1] = (other.at(-1) ?? 0) ^ 1;
      return other;
    });
    expect(await failureOf(server.connect(account.name, { hostKeys }))).toMatchObject({ code: "host_key" });
  });

  test("a key that is not the certified one is denied", async () => {
    const identity = { ...(await server.identity(account.name)), privateKey: (await pageKey()).privateKey };
    const failure = await failureOf(server.connect(account.name, { identity }));
    expect(failure).toMatchObject({ code: "denied" });
  });

  test("sessions stand side by side, and what the machine refuses is one session's end", async () => {
    const connection = await server.connect(account.name);
    const refused = startSession(connection, {
      ...{ terminal: null, run: { subsystem: "no-such-subsystem" }, onData: () => {} },
    });
    const all = Promise.all(["a", "b", "c", "d"].map((word) => run(connection, `echo ${word}`)));
    expect(await failureOf(refused)).toMatchObject({ code: "refused" });
    expect((await all).map(({ text }) => text)).toEqual(["a\n", "b\n", "c\n", "d\n"]);
    connection.close();
  });
});
