/**
 * Mutates recorded handshakes and looks for what must never happen: an exception that nobody caught, a
 * server that stops serving, memory that grows, a session without a success.
 *
 * `bun test/fuzz/handshake.ts [mutations] [seed]`, or QF_FUZZ_MUTATIONS for the bounded run in `bun test`.
 */
import { SshWriter } from "../../src/base/ssh-buffer.ts";
import { type GuardedServer, startGuardedServer } from "../support/guarded-server.ts";
import { kexInit, keyedClient, plainPacket, plausible, rawClient, type Stage } from "../support/raw-ssh.ts";

export interface FuzzOptions {
  readonly mutations: number;
  /** The same seed mutates in the same way. */
  readonly seed: number;
}

export interface FuzzReport {
  readonly mutations: number;
  /** What must not have happened, with the seed of the one mutation that did it. */
  readonly failures: readonly string[];
  /** MiB that the resident memory grew by after the first tenth. */
  readonly grownMib: number;
}

type Random = () => number;

/** Longest that one mutated connection is looked at. */
const PATIENCE_MS = 15;
const CONCURRENT_MAX = 16;

/** Runs against a server in this process to which nobody can sign in. */
export async function fuzzHandshakes({ mutations, seed }: FuzzOptions): Promise<FuzzReport> {
  await using server = await startGuardedServer({ limits: { lingerMs: 50, graceMs: 2_000 } });
  const failures: string[] = [];
  const onUncaught = (error: unknown): void => void failures.push(`uncaught: ${error}`);
  process.on("uncaughtException", onUncaught).on("unhandledRejection", onUncaught);
  let baseline = 0;
  for (let done = 0; done < mutations; done += CONCURRENT_MAX) {
    const seeds = Array.from(
      { length: Math.min(CONCURRENT_MAX, mutations - done) },
      (_, i) => seed + done + i,
    );
    await Promise.all(seeds.map((one) => mutateOnce(server, one)));
    const entered = server.events.filter((event) => event !== "authentication");
    if (entered.length > 0) failures.push(`seeds ${seeds[0]}..${seeds.at(-1)}: ${entered.join()}`);
    server.events.length = 0;
    server.violations.length = 0;
    server.connections.length = 0;
    server.guards.length = 0;
    if (baseline === 0 && done >= mutations / 10) baseline = residentMib();
  }
  if (!(await isServing(server))) failures.push("it does not serve any more");
  const grownMib = residentMib() - baseline;
  for (let round = 0; server.sockets.size > 0 && round < 300; round++) await Bun.sleep(10);
  if (server.sockets.size > 0) failures.push(`${server.sockets.size} sockets are left`);
  process.off("uncaughtException", onUncaught).off("unhandledRejection", onUncaught);
  return { mutations, failures, grownMib };
}

async function mutateOnce(server: GuardedServer, seed: number): Promise<void> {
  const random = createRandom(seed);
  const isPlain = random() < 0.6;
  using client = isPlain
    ? await rawClient(server.port, "")
    : await keyedClient(server.port, pick(random, STAGES));
  if (isPlain) client.write(mutatedStream(random));
  else {
    for (const payload of mutatedMessages(random, recordedSignIn(random))) client.send(payload);
  }
  await Promise.race([client.closed, Bun.sleep(PATIENCE_MS)]);
}

const STAGES: readonly Stage[] = ["keyed", "service", "failed"];

/** A handshake up to NEWKEYS, in bytes, with something wrong in messages, packets or bytes. */
function mutatedStream(random: Random): Buffer {
  const hybrid = random() < 0.5;
  const share = new SshWriter()
    .uint8(30)
    .string(Buffer.alloc(hybrid ? 1216 : 32, 9))
    .toBuffer();
  const offer = kexInit({
    kex: `${hybrid ? "mlkem768x25519-sha256" : "curve25519-sha256"},kex-strict-c-v00@openssh.com`,
    follows: random() < 0.3,
  });
  const messages = mutatedMessages(random, [offer, share, plausible(21), plausible(5), plausible(50)]);
  const parts = [Buffer.from("SSH-2.0-OpenSSH_9.9 fuzz\r\n"), ...messages.map(plainPacket)];
  const stream = Buffer.concat(parts);
  return random() < 0.5 ? mutatedBytes(random, stream) : stream;
}

/** What a client says to sign in, in order. */
function recordedSignIn(random: Random): Buffer[] {
  const request = (method: string): SshWriter =>
    new SshWriter().uint8(50).text("root").text("ssh-connection").text(method);
  const key = new SshWriter().text("ssh-ed25519").string(Buffer.alloc(32, 1)).toBuffer();
  const signature = new SshWriter().text("ssh-ed25519").string(Buffer.alloc(64, 2)).toBuffer();
  const query = request("publickey").bool(false).text("ssh-ed25519").string(key).toBuffer();
  const signed = request("publickey").bool(true).text("ssh-ed25519").string(key).string(signature).toBuffer();
  return [
    plausible(7),
    plausible(5),
    request("none").toBuffer(),
    query,
    signed,
    request("keyboard-interactive").text("").text("").toBuffer(),
    plausible(61),
    request("password").bool(false).text("wrong").toBuffer(),
    plausible(pick(random, [52, 80, 90, 94, 98])),
  ];
}

function mutatedMessages(random: Random, recorded: readonly Buffer[]): Buffer[] {
  const messages = [...recorded];
  const times = 1 + Math.floor(random() * 3);
  for (let time = 0; time < times && messages.length > 0; time++) {
    const at = Math.floor(random() * messages.length);
    const message = messages[at] ?? Buffer.alloc(0);
    const other = Math.floor(random() * messages.length);
    switch (Math.floor(random() * 7)) {
      case 0:
        messages.splice(at, 1);
        break;
      case 1:
        messages.splice(at, 0, message);
        break;
      case 2:
        [messages[at], messages[other]] = [messages[other] ?? message, message];
        break;
      case 3:
        messages[at] = Buffer.concat([Buffer.of(Math.floor(random() * 256)), message.subarray(1)]);
        break;
      case 4:
        messages.splice(at, 0, plausible(Math.floor(random() * 256)));
        break;
      default:
        messages[at] = mutatedBytes(random, message);
    }
  }
  return messages;
}

function mutatedBytes(random: Random, bytes: Buffer): Buffer {
  if (bytes.length === 0) return bytes;
  const mutated = Buffer.from(bytes);
  const at = Math.floor(random() * mutated.length);
  switch (Math.floor(random() * 6)) {
    case 0:
      return mutated.subarray(0, at);
    case 1:
      return Buffer.concat([mutated.subarray(0, at), Buffer.from([random() * 256]), mutated.subarray(at)]);
    case 2:
      // A length, wherever one happens to be.
      if (at + 4 <= mutated.length) mutated.writeUInt32BE(pick(random, EDGES), at);
      return mutated;
    case 3:
      return Buffer.concat([mutated, mutated.subarray(at)]);
    default:
      for (let flips = 1 + random() * 4; flips > 0; flips--) {
        const index = Math.floor(random() * mutated.length);
        mutated[index] = (mutated[index] ?? 0) ^ (1 << Math.floor(random() * 8));
      }
      return mutated;
  }
}

const EDGES = [0, 1, 4, 0x7f, 0xff, 0x7fff, 0x8000, 35_000, 35_001, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff];

async function isServing(server: GuardedServer): Promise<boolean> {
  using client = await keyedClient(server.port, "failed");
  return !client.isClosed();
}

function residentMib(): number {
  Bun.gc(true);
  return process.memoryUsage.rss() / 1024 / 1024;
}

function pick<T>(random: Random, choices: readonly T[]): T {
  return choices[Math.floor(random() * choices.length)] as T;
}

/** mulberry32: small, and the same everywhere. */
function createRandom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b_79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

if (import.meta.main) {
  const mutations = Number(process.argv[2] ?? 100_000);
  const seed = Number(
    process.argv[3] ?? process.env.QF_FUZZ_SEED ?? crypto.getRandomValues(new Uint32Array(1))[0],
  );
  process.stdout.write(`${mutations} mutated handshakes, seed ${seed}\n`);
  const report = await fuzzHandshakes({ mutations, seed });
  process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
  process.exitCode = report.failures.length > 0 || report.grownMib > 64 ? 1 : 0;
}
