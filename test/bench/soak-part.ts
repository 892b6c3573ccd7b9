/**
 * Ten commands a second through the whole path: kept login, certificate minted, dial, SSH sign-in, session,
 * child, end. By `qf ssh` and by stock ssh(1) through `qf proxy connect`, in turn; each takes its time from
 * the start of its process to its end. Begun by the clock, whether or not the one before is over.
 *
 * Teleport has published p50 108 and p99 146 ms for ten sessions a second of its own soak test.
 */
import { type Bench, histogram, kB, median, ms, type Part, percentile, spreadFigures } from "./figures.ts";
import { settledBytes } from "./memory.ts";
import { type Field, openField } from "./openssh.ts";

const TELEPORT = { p50Ms: 108, p99Ms: 146 };
const RATE = 10;
const SHORT_SECONDS = 60;
const WARM_UP_SECONDS = 5;
const SETTLE_MS = 5_000;
/** Commands under way at once; more would say nothing but that it is too late. */
const UNDER_WAY_MAX = 200;
const COMMAND_TIMEOUT_MS = 30_000;

interface Client {
  readonly name: string;
  readonly command: readonly string[];
  readonly env: Record<string, string>;
  readonly samplesMs: number[];
  readonly failures: string[];
}

/** `MINUTES` in the environment makes it longer than `make bench` has it. */
export const soakPart: Part = {
  name: "soak",
  run: (bench) => soak(bench, Number(process.env.MINUTES ?? SHORT_SECONDS / 60) * 60),
};

async function soak(bench: Bench, seconds: number): Promise<void> {
  await using field = await openField();
  const { lab, user, proxy, device } = field;
  const clients: Client[] = [
    {
      name: "`qf ssh`",
      command: [lab.executable, "ssh", `${user}@web1`, "true"],
      env: lab.env(device.env()),
      samplesMs: [],
      failures: [],
    },
    {
      name: "ssh through `qf proxy`",
      command: ["ssh", ...proxy.ssh, proxy.destination, "true"],
      env: proxy.env,
      samplesMs: [],
      failures: [],
    },
  ];
  const startMs = await costOfStart(lab.executable);
  await drive(clients, WARM_UP_SECONDS);
  for (const { samplesMs, failures } of clients) {
    samplesMs.length = 0;
    failures.length = 0;
  }
  const held = [await memory(field)];
  for (const _half of [1, 2]) {
    await drive(clients, seconds / 2);
    held.push(await memory(field));
  }
  for (const client of clients) addRow(bench, client, seconds);
  bench.note(
    `of that, starting any process from here takes ${ms(startMs.process)}, and qf itself ${ms(startMs.qf)}`,
  );
  addMemory(bench, held, seconds);
}

/** What a command costs before it does anything, from this driver. */
async function costOfStart(executable: string): Promise<{ process: number; qf: number }> {
  const cost = async (command: string[]): Promise<number> => {
    const samples: number[] = [];
    for (let i = 0; i < 20; i++) {
      const start = performance.now();
      await Bun.spawn(command, { stdin: "ignore", stdout: "ignore", stderr: "ignore" }).exited;
      samples.push(performance.now() - start);
    }
    return median(samples);
  };
  return { process: await cost(["/bin/true"]), qf: await cost([executable, "version"]) };
}

async function drive(clients: readonly Client[], seconds: number): Promise<void> {
  const underWay = new Set<Promise<void>>();
  const startMs = performance.now();
  for (let i = 0; i < seconds * RATE; i++) {
    await Bun.sleep(Math.max(0, startMs + (i * 1000) / RATE - performance.now()));
    const client = clients[i % clients.length];
    if (client === undefined) return;
    if (underWay.size >= UNDER_WAY_MAX) {
      client.failures.push("too many under way");
      continue;
    }
    const one = exec(client).finally(() => underWay.delete(one));
    underWay.add(one);
  }
  await Promise.all(underWay);
}

async function exec({ command, env, samplesMs, failures }: Client): Promise<void> {
  const startMs = performance.now();
  const child = Bun.spawn([...command], {
    env,
    stdin: "ignore",
    stdout: "ignore",
    stderr: "pipe",
    timeout: COMMAND_TIMEOUT_MS,
  });
  const status = await child.exited;
  samplesMs.push(performance.now() - startMs);
  if (status !== 0) failures.push(`${status}: ${(await new Response(child.stderr).text()).trim()}`);
}

interface Memory {
  readonly agent: number;
  readonly management: number;
}

async function memory({ lab, agent }: Field): Promise<Memory> {
  const { pid } = await agent.status();
  return {
    agent: await settledBytes(pid, SETTLE_MS),
    management: await settledBytes(lab.management?.process.pid ?? 0, SETTLE_MS),
  };
}

function addRow(bench: Bench, { name, samplesMs, failures }: Client, seconds: number): void {
  const [p50, p99] = [percentile(samplesMs, 50), percentile(samplesMs, 99)];
  if (failures.length > 0) bench.note(`${name}: ${[...new Set(failures)].slice(0, 5).join("\n")}`);
  bench.note(histogram(name, samplesMs));
  bench.add({
    what: `${RATE} commands a second for ${seconds} s, ${name}`,
    ours: `p50 ${p50.toFixed(0)}, p99 ${p99.toFixed(0)} ms, ${failures.length} of ${samplesMs.length} failed`,
    against: `Teleport's published p50 ${TELEPORT.p50Ms}, p99 ${TELEPORT.p99Ms} ms`,
    ratio: `${(p50 / TELEPORT.p50Ms).toFixed(2)}, ${(p99 / TELEPORT.p99Ms).toFixed(2)} x`,
    reach: "<= 1/3, none failed",
    figures: { ...spreadFigures(samplesMs), failures: failures.length },
  });
}

/** At the start, in the middle and at the end: what only warms up grows in the first half. */
function addMemory(bench: Bench, held: readonly Memory[], seconds: number): void {
  const row = (name: keyof Memory) => {
    const bytes = held.map((one) => one[name]);
    const [start = 0, middle = 0, end = 0] = bytes;
    const each = (end - middle) / ((seconds * RATE) / 2);
    bench.add({
      what: `memory of ${name} at the start, in the middle and at the end of ${seconds * RATE} commands`,
      ours: `${bytes.map((one) => (one / 1e6).toFixed(1)).join(", ")} MB`,
      ratio: `${kB(each)} a command at last`,
      reach: "no growth",
      figures: { startBytes: start, middleBytes: middle, endBytes: end, bytesEach: each },
    });
  };
  row("agent");
  row("management");
}
