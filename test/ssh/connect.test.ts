import { afterEach, expect, test } from "bun:test";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { QfError } from "../../src/base/errors.ts";
import type { Credential } from "../../src/client/credential.ts";
import { dialDirect } from "../../src/fabric/dial.ts";
import { sentenceOf } from "../../src/policy/sentences.ts";
import { type Connection, connectSsh } from "../../src/ssh/connect.ts";
import {
  otherHostKey,
  type SshMachine,
  type SshMachineOptions,
  startSshMachine,
} from "../support/ssh-machine.ts";

const machines: SshMachine[] = [];
afterEach(async () => {
  await Promise.all(machines.splice(0).map((machine) => machine.close()));
});

async function machineWith(options: SshMachineOptions = {}): Promise<SshMachine> {
  const machine = await startSshMachine(options);
  machines.push(machine);
  return machine;
}

async function connectTo(
  machine: SshMachine,
  change: Partial<Credential["target"]> = {},
  timeoutMs?: number,
): Promise<{ connection: Connection; banners: string[] }> {
  const { credential } = machine;
  const { socket } = await dialDirect({ addresses: [machine.address], helloFor: () => "HELLO\n" });
  const banners: string[] = [];
  const connection = await connectSsh({
    stream: socket,
    credential: { ...credential, target: { ...credential.target, ...change } },
    localUser: "deploy",
    keepaliveMs: 0,
    keepaliveCountMax: 3,
    onBanner: (text) => void banners.push(text),
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
  });
  return { connection, banners };
}

/** Listens on a free port and does `greet` for everybody who comes. */
async function aServer(greet: (socket: Socket) => void): Promise<{ address: string } & AsyncDisposable> {
  const server = createServer((socket) => greet(socket.on("error", () => {})));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: async () => void server.close(),
  };
}

async function failureOf(work: Promise<unknown>): Promise<QfError> {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof QfError) return error;
  throw new Error(`no QfError but ${String(error)}`);
}

test("connectSsh signs in by the certificate with a plain ssh-ed25519 signature", async () => {
  const machine = await machineWith({ greeting: "welcome" });
  const { connection, banners } = await connectTo(machine);
  expect(machine.users).toEqual(["deploy"]);
  expect(machine.hellos).toEqual(["HELLO"]);
  expect(banners.join("")).toContain("welcome");
  connection.end();
  expect(await connection.closed).toBeUndefined();
});

test("connectSsh signs in by the device key where the machine takes machine identity", async () => {
  const machine = await machineWith();
  const { connection } = await connectTo(machine, { machineIdentity: true });
  connection.end();
  expect(await connection.closed).toBeUndefined();
});

test("connectSsh refuses a host key that management does not know, before anything is signed", async () => {
  const machine = await machineWith();
  const error = await failureOf(connectTo(machine, { hostKeys: [otherHostKey()] }));
  expect(error.code).toBe("ERR_HOST_KEY_MISMATCH");
  expect(machine.users).toEqual([]);
});

test("connectSsh refuses a host key that only begins like the known one", async () => {
  const machine = await machineWith();
  const [known = ""] = machine.credential.target.hostKeys;
  const longer = Buffer.concat([Buffer.from(known, "base64"), Buffer.from([0])]).toString("base64");
  expect((await failureOf(connectTo(machine, { hostKeys: [longer] }))).code).toBe("ERR_HOST_KEY_MISMATCH");
});

test.each<[name: string, known: (right: Buffer) => Buffer[]]>([
  ["with its last byte changed", (right) => [changed(right, right.length - 1)]],
  ["with its first byte changed", (right) => [changed(right, right.length - 32)]],
  ["cut short", (right) => [right.subarray(0, -1)]],
  ["of a type that it has not", (right) => [changed(right, 5)]],
  ["of no type at all", () => [Buffer.alloc(4), Buffer.alloc(0), Buffer.from("ssh-ed25519")]],
])("connectSsh refuses the machine's host key where management knows one %s", async (_name, known) => {
  const machine = await machineWith();
  const right = Buffer.from(machine.credential.target.hostKeys[0] ?? "", "base64");
  const hostKeys = known(right).map((key) => key.toString("base64"));
  expect((await failureOf(connectTo(machine, { hostKeys }))).code).toBe("ERR_HOST_KEY_MISMATCH");
  const both = [...hostKeys, right.toString("base64")];
  (await connectTo(machine, { hostKeys: both })).connection.end();
});

function changed(bytes: Buffer, at: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[at] = (copy[at] ?? 0) ^ 1;
  return copy;
}

test("connectSsh refuses to connect when management knows no host key", async () => {
  const machine = await machineWith();
  expect((await failureOf(connectTo(machine, { hostKeys: [] }))).code).toBe("ERR_HOST_KEY_MISMATCH");
});

test("connectSsh fails with the sentence of the machine's banner, without its control characters", async () => {
  const machine = await machineWith({ denyWith: "User is not authorized to login as OS user\u001b[2J\r\n" });
  const error = await failureOf(connectTo(machine));
  expect(error.code).toBe("ERR_ACCESS_DENIED");
  expect(error.message).toBe(`${sentenceOf("local_user_not_authorized").sentence} [2J`);
});

test("connectSsh fails in one sentence when the machine refuses without one", async () => {
  const machine = await machineWith({ denyWith: "" });
  expect((await failureOf(connectTo(machine))).message).toBe("Authentication failed");
});

test("connectSsh says what a machine says that takes no connection of this device now", async () => {
  const machine = await machineWith();
  await using refusing = await aServer((socket) => void socket.end("Not allowed at this \x1b[2Jtime\r\n"));
  const error = await failureOf(connectTo({ ...machine, address: refusing.address }));
  expect(error.code).toBe("ERR_SSH");
  expect(error.message).toBe("the peer takes no connection: Not allowed at this  [2Jtime");
  expect(error.hint).toContain("wait some minutes");
});

test("connectSsh lets nothing flow before ssh2 listens, which may be later", async () => {
  const { address, credential } = await machineWith();
  const { socket } = await dialDirect({ addresses: [address], helloFor: () => "HELLO\n" });
  const connecting = connectSsh({
    stream: socket,
    credential,
    localUser: "deploy",
    keepaliveMs: 0,
    keepaliveCountMax: 3,
    onBanner: () => {},
  });
  expect(socket.isPaused()).toBe(true);
  (await connecting).end();
});

test("connectSsh says at which point a machine fell silent", async () => {
  const machine = await machineWith();
  await using silent = await aServer((socket) => void socket.write("SSH-2.0-silent\r\n"));
  const error = await failureOf(connectTo({ ...machine, address: silent.address }, {}, 200));
  expect(error.message).toBe("Connection timeout");
  expect(error.hint).toStartWith("it was silent while it was to say which algorithms it has");
});

test("connectSsh reports a transport that is lost afterwards", async () => {
  const machine = await machineWith();
  const { connection } = await connectTo(machine);
  machine.drop();
  await connection.closed;
});
