/** A forward helper: sockets opened as the local user, and nothing left of them. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import {
  closeSync,
  existsSync,
  mkdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer, type Server, Socket } from "node:net";
import { join } from "node:path";
import { type ForwardHelper, openForwardHelper } from "../../../src/agent/os/forward-helper.ts";
import { ForwardHelperError } from "../../../src/agent/os/forward-helper-error.ts";
import { lookUpAccount } from "../../../src/agent/os/users.ts";
import { isRoot, OsAccount } from "../../support/os-accounts.ts";
import { socketUids } from "../../support/sockets.ts";
import { until } from "../../support/until.ts";

const noContainment = {
  environment: {},
  prepare() {},
  async add() {},
  killAll: async () => true,
  release() {},
};

describe.skipIf(!isRoot)("a forward helper", () => {
  let account: OsAccount;
  let uid: number;
  let helper: ForwardHelper;
  let server: Server;
  let port: number;

  beforeAll(async () => {
    account = new OsAccount("helper");
    const found = await lookUpAccount(account.name, 0);
    if (found === null) throw new Error("no account");
    uid = found.uid;
    helper = await openForwardHelper({ account: found, drop: true, containment: noContainment });
    server = createServer((socket) => socket.write("hello"));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    port = (server.address() as { port: number }).port;
  });

  afterAll(async () => {
    await helper.close();
    server.close();
    account[Symbol.dispose]();
  });

  test("connects as the user", async () => {
    const fd = await helper.dial(["127.0.0.1"], port);
    expect(socketUids("remote", port)).toEqual([uid]);
    const text = new Promise<string>((resolve) => {
      void Bun.connect({
        fd,
        socket: {
          data(socket: Bun.Socket, data: Buffer) {
            resolve(data.toString());
            socket.end();
          },
        },
      } as never);
    });
    expect(await text).toBe("hello");
  });

  test.each([
    ["127.0.0.1", "tcp"],
    ["::1", "tcp6"],
  ] as const)("connects many sockets to %s at once, all of them the user's", async (host, table) => {
    const many = createServer();
    await new Promise<void>((resolve) => many.listen(0, host, resolve));
    const { port: to } = many.address() as { port: number };
    const fds = await Promise.all(Array.from({ length: 100 }, () => helper.dial([host], to)));
    expect(socketUids("remote", to, "01", table)).toEqual(Array(100).fill(uid));
    for (const fd of fds) closeSync(fd);
    many.close();
  });

  test("tries the next address when one refuses", async () => {
    closeSync(await helper.dial(["127.0.0.2", "127.0.0.1"], port));
  });

  test.each([
    ["a port where nobody listens", "refused", () => helper.dial(["127.0.0.1"], 1)],
    ["a name that nobody has", "unknown_host", () => helper.resolve("no-such-host.invalid")],
    ["a socket that is not there", "not_found", () => helper.dialSocket("/nowhere/socket")],
    ["a port that is taken", "in_use", () => helper.listen(["127.0.0.1"], port, () => {})],
    ["a privileged port", "permission", () => helper.listen(["127.0.0.1"], 81, () => {})],
    ["an address of another machine", "address_not_here", () => helper.listen(["192.0.2.1"], 0, () => {})],
    ["a folder of somebody else", "permission", () => helper.listenSocket("/root/qf-socket", () => {})],
  ] as const)("says so for %s", async (_name, failure, attempt) => {
    const error = await attempt().then(
      () => null,
      (cause: unknown) => cause,
    );
    expect(error).toBeInstanceOf(ForwardHelperError);
    expect((error as ForwardHelperError).failure).toBe(failure);
  });

  test("listens and accepts as the user, until it is closed", async () => {
    const accepted: { fd: number; port: number }[] = [];
    const listening = await helper.listen(["127.0.0.1", "::1"], 0, (one) => accepted.push(one));
    expect(socketUids("local", listening.port)).toContain(uid);
    const client = new Socket().connect(listening.port, "127.0.0.1");
    await until(() => accepted.length === 1);
    expect(accepted[0]?.port).toBe(client.localPort ?? -1);
    expect(new Set(socketUids("local", listening.port))).toEqual(new Set([uid]));
    closeSync(accepted[0]?.fd ?? -1);
    client.destroy();
    listening.close();
    await until(() => socketUids("local", listening.port, "0A").length === 0);
  });

  test("makes a unix socket of the user's, for nobody else, and takes it away again", async () => {
    const path = join(account.home, "socket");
    const listening = await helper.listenSocket(path, () => {});
    expect(statSync(path)).toMatchObject({ uid });
    expect(statSync(path).mode & 0o777).toBe(0o600);
    listening.close();
    await until(() => !existsSync(path));
  });

  test("replaces nothing that is there, and follows no link to do so", async () => {
    const path = join(account.home, "file");
    writeFileSync(path, "mine");
    symlinkSync("/root/qf-through-a-link", join(account.home, "link"));
    for (const name of ["file", "link"]) {
      const attempt = helper.listenSocket(join(account.home, name), () => {});
      expect(await attempt.catch((cause: ForwardHelperError) => cause.failure)).toMatch(/in_use|permission/);
    }
    expect(readFileSync(path, "utf8")).toBe("mine");
    expect(existsSync("/root/qf-through-a-link")).toBe(false);
  });

  test("makes the agent's socket in a folder of the user's, which goes with the helper", async () => {
    const found = await lookUpAccount(account.name, 0);
    if (found === null) throw new Error("no account");
    const other = await openForwardHelper({ account: found, drop: true, containment: noContainment });
    const { path } = await other.listenAgent(() => {});
    const folder = path.slice(0, path.lastIndexOf("/"));
    expect(path).toMatch(/^\/tmp\/ssh-[A-Za-z0-9]{6}\/agent\.\d+$/);
    expect(statSync(folder)).toMatchObject({ uid });
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    await other.close();
    expect(existsSync(folder)).toBe(false);
  });

  test("answers nothing any more when it was killed", async () => {
    const found = await lookUpAccount(account.name, 0);
    if (found === null) throw new Error("no account");
    const other = await openForwardHelper({ account: found, drop: true, containment: noContainment });
    const pending = other.dial(["192.0.2.1"], 9).catch((cause: ForwardHelperError) => cause.failure);
    await other.close();
    expect(await pending).toBe("failed");
    expect(await other.dial(["127.0.0.1"], port).catch((cause: ForwardHelperError) => cause.failure)).toBe(
      "failed",
    );
  });

  test("is the user in every respect", async () => {
    mkdirSync(join(account.home, "x"), { recursive: true });
    // A helper that another test has killed may not be gone yet.
    await until(() => account.pids().length === 1);
    const pid = account.pids()[0];
    const status = readFileSync(`/proc/${pid}/status`, "utf8");
    expect(status).toMatch(new RegExp(`^Uid:\\t${uid}\\t${uid}\\t${uid}\\t${uid}$`, "m"));
    expect(readFileSync(`/proc/${pid}/environ`, "utf8")).toBe("");
  });
});
