/** What clients do because of the ident they see: each as beside sshd. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readlinkSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Client, SFTPWrapper } from "ssh2";
import { type BesideSshd, hasSshd, openBesideSshd, type Way } from "../support/beside-sshd.ts";
import { startEcho } from "../support/echo.ts";
import { isRoot } from "../support/os-accounts.ts";
import { runProcess } from "../support/run-process.ts";
import { connectSsh2 } from "../support/ssh2-client.ts";

const WAYS = ["sshd", "plain listener", "drop-in"] as const;

describe.skipIf(!isRoot || !hasSshd)("by its ident", () => {
  let beside: BesideSshd;
  beforeAll(async () => {
    beside = await openBesideSshd({ rule: { ssh: { allow_unmanaged_devices: true } } });
  }, 60_000);
  afterAll(async () => {
    await beside?.[Symbol.asyncDispose]();
  });
  const way = (name: (typeof WAYS)[number]): Way => beside.ways[WAYS.indexOf(name)] as Way;

  describe.each(WAYS)("ssh(1) to the %s", (name) => {
    test.each([
      { what: "that fills the window", script: '"$@" cat /dev/zero | head -c 10 | wc -c', out: "10\n" },
      { what: "that writes lines", script: '"$@" yes | head -2', out: "y\ny\n" },
      {
        what: "that writes later",
        script: '"$@" "echo a; sleep 0.3; echo b; sleep 0.3; echo c" | head -1',
        out: "a\n",
      },
      {
        what: "without SIGPIPE",
        script: `"$@" 'trap "" PIPE; yes; echo gone >&2' 2>&1 | sed -u 1q`,
        out: "y\n",
      },
      { what: "of one that gave its input", script: 'yes | "$@" cat | head -2', out: "y\ny\n" },
    ])("ends a command $what once nobody reads it", async ({ script, out }) => {
      expect(await beside.shell(way(name), script)).toMatchObject({ exitCode: 0, stdout: out });
    });

    test("gets the status of a command that goes on although nobody reads it", async () => {
      const lines = "echo out; sleep 0.2; echo out; sleep 0.2; echo out 2>/dev/null; exit 3";
      const script = `"$@" 'trap : PIPE; ${lines}' | head -1; echo \${PIPESTATUS[0]}`;
      expect((await beside.shell(way(name), script)).stdout).toBe("out\n3\n");
    });

    test("ends it through a shared connection, which goes on", async () => {
      const control = join(beside.machine.lab.root, `ctl-${WAYS.indexOf(name)}`);
      const shared = ["-S", control];
      expect(await beside.shell(way(name), '"$@"', ["-M", "-S", control, "-fN"])).toMatchObject({
        exitCode: 0,
      });
      const { stdout } = await beside.shell(way(name), '"$@" yes | head -1; "$@" echo after', shared);
      expect(stdout).toBe("y\nafter\n");
      await beside.shell(way(name), '"$@"', [...shared, "-O", "exit"]);
    });
  });

  describe.each(["sshd", "qf"] as const)("ssh2 to %s", (side) => {
    let client: Client;
    beforeAll(async () => {
      client = await connectSsh2(beside, side);
    });
    afterAll(() => client?.end());
    const there = (name: string) => join(beside.machine.account.home, name);

    test("makes a symlink from the link to its target", async () => {
      const sftp = await new Promise<SFTPWrapper>((resolve, reject) =>
        client.sftp((error, made) => (error ? reject(error) : resolve(made))),
      );
      const link = there(`link-${side}`);
      await new Promise<void>((resolve, reject) =>
        sftp.symlink("target", link, (error) => (error ? reject(error) : resolve())),
      );
      expect(readlinkSync(link)).toBe("target");
      rmSync(link);
      sftp.end();
    });

    test("forwards to a unix socket and from one", async () => {
      await using echo = await startEcho(there(`echo-${side}.sock`));
      echo.server.unref();
      await runProcess(["chmod", "777", there(`echo-${side}.sock`)], { env: {} });
      let heard = "";
      await new Promise<void>((resolve, reject) =>
        client.openssh_forwardOutStreamLocal(there(`echo-${side}.sock`), (error, channel) => {
          if (error) return reject(error);
          channel.on("data", (data: Buffer) => {
            heard += data;
          });
          channel.once("close", () => resolve());
          channel.end("hello ");
        }),
      );
      expect(heard).toBe("hello bye");
      const remote = there(`remote-${side}.sock`);
      client.once("unix connection", (_info, accept) => void accept().end("from here"));
      await new Promise<void>((resolve, reject) =>
        client.openssh_forwardInStreamLocal(remote, (error) => (error ? reject(error) : resolve())),
      );
      const { stdout } = await runProcess(["/usr/lib/openssh/regress/netcat", "-U", remote], { env: {} });
      expect(stdout).toBe("from here");
    });

    test("asks for no more sessions, and gets none", async () => {
      const other = await connectSsh2(beside, side);
      await new Promise<void>((resolve, reject) =>
        other.openssh_noMoreSessions((error) => (error ? reject(error) : resolve())),
      );
      const refused = await new Promise<boolean>((resolve) => {
        other.once("error", () => resolve(true)).once("close", () => resolve(true));
        other.exec("true", (error) => resolve(error !== undefined));
      });
      expect(refused).toBe(true);
      other.end();
    });
  });
});
