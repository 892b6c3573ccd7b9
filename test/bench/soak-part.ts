/**
 * Ten commands a second through the whole path: kept login, certificate minted, relay, SSH sign-in,
 * session, child, end. In turn by `qf ssh` and by stock ssh(1) through `qf proxy connect`, each from the
 * start of its process to its end, and by a client that stays (commands-load.ts), from the call to its
 * exit status. Begun by the clock, whether or not the one before is over.
 *
 * Teleport has published p50 108 and p99 146 ms for ten sessions a second of its own soak test. That is
 * `tsh bench`: one process, which calls its client for each session.
 */
import { resolve } from "node:path";
import type { Lab, LabAgent } from "../support/lab.ts";
import type { Begin, Ended } from "./commands-load.ts";
import { type Bench, histogram, kB, median, ms, type Part, percentile, spreadFigures } from "./figures.ts";
import { settledBytes } from "./memory.ts";
import { openField } from "./openssh.ts";

const TELEPORT = { p50Ms: 108, p99Ms: 146 };
const RATE = 10;
const SHORT_SECONDS = 60;
const WARM_UP_SECONDS = 5;
const SETTLE_MS = 5_000;
/** Commands under way at once; more would say nothing but that it is too late. */
const UNDER_WAY_MAX = 200;
const COMMAND_TIMEOUT_MS = 30_000;

type Outcome = Omit<Ended, "id">;

interface Client {
  readonly name: string;
  run(): Promise<Outcome>;
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
  const agent = await lab.startAgent("hidden1", { groups: [field.servers], args: ["--listen", "none"] });
  const env = lab.env(device.env());
  const samples = () => ({ samplesMs: [], failures: [] });
  await using resident = startResident([`${user}@hidden1`, "true"], env);
  const clients: Client[] = [
    {
      name: "`qf ssh`",
      run: () => runCommand([lab.executable, "ssh", `${user}@hidden1`, "true"], env),
      ...samples(),
    },
    {
      name: "ssh through `qf proxy`",
      run: () => runCommand(["ssh", ...proxy.ssh, `${user}@hidden1.qf.internal`, "true"], env),
      ...samples(),
    },
    { name: "a client that stays, as in `tsh bench`", run: resident.run, ...samples() },
  ];
  const startMs = await costOfStart(lab.executable);
  await drive(clients, WARM_UP_SECONDS);
  for (const { samplesMs, failures } of clients) {
    samplesMs.length = 0;
    failures.length = 0;
  }
  const held = [await memory(lab, agent)];
  for (const _half of [1, 2]) {
    await drive(clients, seconds / 2);
    held.push(await memory(lab, agent));
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

async function exec({ run, samplesMs, failures }: Client): Promise<void> {
  const { ms, failure } = await run();
  samplesMs.push(ms);
  if (failure !== "") failures.push(failure);
}

async function runCommand(command: readonly string[], env: Record<string, string>): Promise<Outcome> {
  const startMs = performance.now();
  const child = Bun.spawn([...command], {
    env,
    stdin: "ignore",
    stdout: "ignore",
    stderr: "pipe",
    timeout: COMMAND_TIMEOUT_MS,
  });
  const status = await child.exited;
  const elapsedMs = performance.now() - startMs;
  const failure = status === 0 ? "" : `${status}: ${(await new Response(child.stderr).text()).trim()}`;
  return { ms: elapsedMs, failure };
}

/** The client that stays: a process that is told when to run one more. */
function startResident(args: readonly string[], env: Record<string, string>) {
  const script = resolve(import.meta.dir, "commands-load.ts");
  const underWay = new Map<number, (done: Outcome) => void>();
  let lastId = 0;
  const child = Bun.spawn([process.execPath, script, ...args], {
    env,
    stdin: "ignore",
    stdout: "ignore",
    stderr: "inherit",
    ipc: ({ id, ...done }: Ended) => underWay.get(id)?.(done),
  });
  const run = async (): Promise<Outcome> => {
    const id = ++lastId;
    const ended = new Promise<Outcome>((done) => underWay.set(id, done));
    child.send({ id } satisfies Begin);
    const late = Bun.sleep(COMMAND_TIMEOUT_MS).then(() => ({ ms: COMMAND_TIMEOUT_MS, failure: "no end" }));
    try {
      return await Promise.race([ended, late]);
    } finally {
      underWay.delete(id);
    }
  };
  return {
    run,
    async [Symbol.asyncDispose]() {
      child.kill();
      await child.exited;
    },
  };
}

interface Memory {
  readonly agent: number;
  readonly management: number;
}

async function memory(lab: Lab, agent: LabAgent): Promise<Memory> {
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
