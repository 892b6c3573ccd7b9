/** ssh2 of npm, as its users write it. See `clients.ts` for what a client program is told and says. */
import { readFileSync } from "node:fs";
import { connect } from "node:net";
import { createInterface } from "node:readline";
import { Client, type ClientChannel, type SFTPWrapper } from "ssh2";

const it = JSON.parse(process.argv[2] ?? "{}");
const client = new Client();
const answers = createInterface({ input: process.stdin })[Symbol.asyncIterator]();

/** The one value of a callback that gets an error first. */
function once<T>(start: (done: (error: Error | null | undefined, value?: T) => void) => void): Promise<T> {
  return new Promise((resolve, reject) =>
    start((error, value) => (error ? reject(error) : resolve(value as T))),
  );
}

/** A channel and what comes of it. */
interface Read {
  readonly channel: ClientChannel;
  readonly text: Promise<string>;
  readonly status: Promise<unknown>;
}

/** Has to begin in the callback that gives the channel: what follows may be in the same packet. */
function read(channel: ClientChannel): Read {
  let text = "";
  channel.on("data", (data: Buffer) => {
    text += data;
  });
  channel.stderr?.resume();
  return {
    channel,
    text: new Promise((resolve) => channel.once("close", () => resolve(text))),
    status: new Promise((resolve) => channel.once("exit", resolve)),
  };
}

function equal(found: unknown, wanted: unknown): void {
  if (found !== wanted) throw new Error(`${JSON.stringify(found)}, not ${JSON.stringify(wanted)}`);
}

async function check(name: string, act: () => Promise<void>): Promise<void> {
  const late = new Promise<never>((_, reject) => setTimeout(() => reject(new Error("no end")), 8_000));
  const outcome = await Promise.race([act(), late]).then(
    () => "ok",
    (cause: Error) => cause.message,
  );
  process.stdout.write(`${name}: ${outcome}\n`);
}

/** A channel that `start` opens, read from its first byte. */
function opened(
  start: (done: (error: Error | undefined, channel: ClientChannel) => void) => void,
): Promise<Read> {
  return once<Read>((done) => start((error, channel) => done(error, error ? undefined : read(channel))));
}

function exec(command: string, options: object = {}): Promise<Read> {
  return opened((done) => client.exec(command, options, done));
}

async function dial(at: { port: number } | { path: string }): Promise<string> {
  const socket = connect("port" in at ? { host: "127.0.0.1", ...at } : at);
  let text = "";
  socket.on("data", (data) => {
    text += data;
  });
  await new Promise((resolve, reject) => socket.once("end", resolve).once("error", reject));
  socket.end();
  return text;
}

/** What the server said to the person. */
let heard = "";

async function signIn(who: Client, username: string): Promise<void> {
  who.on("keyboard-interactive", async (_name, text, _language, prompts, finish) => {
    heard += text;
    if (prompts.length === 0) return finish([]);
    const asked = `${text} ${prompts.map(({ prompt }) => prompt).join(" ")}`;
    process.stdout.write(`ASK ${JSON.stringify(asked)}\n`);
    finish([(await answers.next()).value ?? ""]);
  });
  who.on("banner", (text) => {
    heard += text;
  });
  await new Promise<void>((resolve, reject) => {
    who.once("ready", resolve).once("error", reject);
    who.connect({
      host: "127.0.0.1",
      port: it.port,
      username,
      readyTimeout: 20_000,
      keepaliveInterval: 200,
      ...(it.key === null
        ? { tryKeyboard: true, authHandler: ["none", "keyboard-interactive"] }
        : { privateKey: readFileSync(it.key) }),
    });
  });
}

await signIn(client, it.user);

await check("exec", async () => {
  const { text, status } = await exec("echo out; echo err >&2; exit 7");
  equal(await text, "out\n");
  equal(await status, 7);
});
await check("stdin", async () => {
  const { channel, text } = await exec("wc -c");
  channel.end(Buffer.alloc(300_000));
  equal((await text).trim(), "300000");
});
await check("pty", async () => {
  const { text } = await exec("tty >/dev/null && stty size", { pty: { rows: 31, cols: 101, term: "xterm" } });
  equal((await text).trim(), "31 101");
});
await check("sftp", async () => {
  const sftp = await once<SFTPWrapper>((done) => client.sftp(done));
  const at = (name: string): string => `${it.dir}/${name}`;
  await once((done) => sftp.writeFile(at("a"), Buffer.alloc(100_000, "x"), done as never));
  await once((done) => sftp.rename(at("a"), at("b"), done));
  await once((done) => sftp.symlink("b", at("link"), done));
  equal(await once((done) => sftp.readlink(at("link"), done)), "b");
  equal((await once<Buffer>((done) => sftp.readFile(at("link"), done as never))).length, 100_000);
  for (const name of ["link", "b"]) await once((done) => sftp.unlink(at(name), done));
  sftp.end();
});
await check("-L", async () => {
  const { channel, text } = await opened((done) =>
    client.forwardOut("127.0.0.1", 1, "127.0.0.1", it.echoPort, done),
  );
  channel.end("hello ");
  equal(await text, "hello bye");
});
await check("-R", async () => {
  client.once("tcp connection", (_info, accept) => void accept().end("from here"));
  const port = await once<number>((done) => client.forwardIn("0.0.0.0", 0, done));
  equal(await dial({ port }), "from here");
});
await check("unix -L", async () => {
  const { channel, text } = await opened((done) => client.openssh_forwardOutStreamLocal(it.echoPath, done));
  channel.end("hello ");
  equal(await text, "hello bye");
});
await check("unix -R", async () => {
  const path = `${it.dir}/remote.sock`;
  client.once("unix connection", (_info, accept) => void accept().end("from here"));
  await once((done) => client.openssh_forwardInStreamLocal(path, done));
  equal(await dial({ path }), "from here");
});
await check("keepalive", async () => {
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  equal(await (await exec("echo on")).text, "on\n");
});
await check("rekey", async () => {
  const { _protocol: protocol } = client as unknown as { _protocol: { rekey(): void } };
  const { text } = await exec("head -c 3000000 /dev/zero");
  protocol.rekey();
  equal((await text).length, 3_000_000);
});
await check("refusal", async () => {
  const forward = (done: never) => client.forwardOut("127.0.0.1", 1, "127.0.0.1", 1, done);
  const failure = await once(forward as never).then(
    () => "",
    (cause: Error) => cause.message,
  );
  equal(failure.includes("Connection refused"), true);
});
await check("denial", async () => {
  heard = "";
  const failure = await signIn(new Client(), it.deniedUser).then(
    () => "it was let in",
    (cause: Error & { level?: string }) => cause.level,
  );
  equal(failure, "client-authentication");
  if (!heard.includes(it.deniedSays ?? "")) throw new Error(`it heard ${JSON.stringify(heard)}`);
});
client.end();
process.exitCode = 0;
setTimeout(() => process.kill(process.pid, "SIGTERM"), 500).unref();
