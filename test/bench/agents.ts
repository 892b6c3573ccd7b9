/**
 * How management fares with very many agents: the figures of one management process, the real executable,
 * with 100, 1,000 and 10,000 simulated agents (`agents-load.ts`) on the same machine.
 */
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { Lab } from "../support/lab.ts";
import { blockAdmin, type SeededMachine, seedAccount } from "./agents-account.ts";
import { type AgentsAnswer, type AgentsOrder, sharedMs } from "./agents-load.ts";
import { type Bench, histogram, ms, type Part, percentile, spreadFigures } from "./figures.ts";

const SIZES = [100, 1_000, 10_000];
/** Of one peer each. */
const CHANGES = 100;
const CHANGES_OF_ALL = 3;
const STORM_WITHIN_MS = 1_000;
const READY_TIMEOUT_MS = 240_000;
const IDLE_MS = 10_000;

export const agentsPart: Part = {
  name: "agents",
  async run(bench) {
    const wanted = (process.env.QF_BENCH_AGENTS ?? "").split(",").map(Number).filter(Boolean);
    for (const size of wanted.length > 0 ? wanted : SIZES) await measure(bench, size);
  },
};

async function measure(bench: Bench, size: number): Promise<void> {
  const root = await mkdtemp(join(tmpdir(), "qf-bench-agents-"));
  const lab = new Lab(bench.executable, root);
  let agents: Agents | undefined;
  try {
    await lab.initManagement();
    const machines = await seedAccount(lab.dataDir, lab.accountId, size);
    await lab.serveManagement();
    agents = startAgents(root, lab.url, machines);
    await storm(bench, lab, agents, size);
    await oneByOne(bench, lab, agents, machines);
    await all(bench, lab, agents, size);
    await restart(bench, lab, agents, { size, what: "management is started anew" });
    await restart(bench, lab, agents, {
      size,
      what: "a person in every map is blocked meanwhile",
      meanwhile: () => blockAdmin(lab.dataDir, lab.accountId),
    });
  } finally {
    await agents?.stop();
    await lab[Symbol.asyncDispose]();
    rmSync(root, { recursive: true, force: true });
  }
}

/** All come at once, with nothing: each gets its whole map. */
async function storm(bench: Bench, lab: Lab, agents: Agents, size: number): Promise<void> {
  const cpuMs = cpuMsOf(pidOf(lab));
  const startMs = sharedMs();
  await agents.ask({ do: "start", withinMs: STORM_WITHIN_MS });
  await agents.ready(size);
  const tookMs = sharedMs() - startMs;
  const spentMs = cpuMsOf(pidOf(lab)) - cpuMs;
  const { refused, handshakesPeak, mapBytes } = await agents.ask({ do: "deltas" });
  await Bun.sleep(IDLE_MS);
  const idleFromMs = cpuMsOf(pidOf(lab));
  await Bun.sleep(IDLE_MS);
  const idle = (cpuMsOf(pidOf(lab)) - idleFromMs) / IDLE_MS;
  const memory = memoryOf(pidOf(lab));
  bench.add({
    what: `${count(size)} agents: all come within 1 s, each takes a map of ${(mapBytes / 1000).toFixed(0)} kB`,
    ours: `${(tookMs / 1000).toFixed(1)} s, ${(spentMs / 1000).toFixed(1)} s of CPU`,
    figures: { agents: size, tookMs, cpuMs: spentMs, refused, handshakesPeak },
  });
  bench.add({
    what: `${count(size)} agents: memory of management, now and at most, and CPU while they only beat`,
    ours: `${mega(memory.now)}, ${mega(memory.peak)} MB; ${(idle * 100).toFixed(1)} %`,
    reach: size === 10_000 ? "<= 1.5 GB" : "",
    figures: { agents: size, residentBytes: memory.now, peakBytes: memory.peak, idleCpuShare: idle },
  });
}

/** One machine's SSH is switched off or on, over the API; how long until that machine has it in effect. */
async function oneByOne(
  bench: Bench,
  lab: Lab,
  agents: Agents,
  machines: readonly SeededMachine[],
): Promise<void> {
  await agents.ask({ do: "deltas" });
  const samples: number[] = [];
  const answers: number[] = [];
  const chosen = Array.from({ length: CHANGES }, () => machines[Math.floor(Math.random() * machines.length)]);
  const cpuMs = cpuMsOf(pidOf(lab));
  const startMs = sharedMs();
  const off = new Set<string>();
  for (const machine of chosen) {
    if (machine === undefined) continue;
    const isOff = off.delete(machine.id);
    if (!isOff) off.add(machine.id);
    const sentMs = sharedMs();
    await lab.api("PUT", `/api/peers/${machine.id}`, {
      name: machine.name,
      ssh_enabled: isOff,
      login_expiration_enabled: false,
      inactivity_expiration_enabled: false,
    });
    answers.push(sharedMs() - sentMs);
    samples.push(...(await agents.applied(1)).map((atMs) => atMs - sentMs));
  }
  const spentMs = cpuMsOf(pidOf(lab)) - cpuMs;
  const tookMs = sharedMs() - startMs;
  const size = machines.length;
  bench.add({
    what: `${count(size)} agents: a change for one, from the request to its map in effect, p50 and p99`,
    ours: `${ms(percentile(samples, 50))}, ${ms(percentile(samples, 99))}; ${ms(spentMs / CHANGES)} of CPU`,
    reach: size === 10_000 ? "p99 <= 100 ms" : "",
    figures: {
      agents: size,
      ...spreadFigures(samples),
      answerP50Ms: percentile(answers, 50),
      cpuMsEach: spentMs / CHANGES,
      tookMs,
    },
  });
  bench.note(histogram(`a change for one of ${count(size)} agents`, samples));
}

/** A setting of the account, which is in every map. */
async function all(bench: Bench, lab: Lab, agents: Agents, size: number): Promise<void> {
  const lasts: number[] = [];
  let cpuMs = 0;
  for (let i = 0; i < CHANGES_OF_ALL; i++) {
    await agents.ask({ do: "deltas" });
    const path = `/api/accounts/${lab.accountId}`;
    const [account] = await lab.api<{ settings: object }[]>("GET", "/api/accounts");
    const settings = { ...account?.settings, max_stale_seconds: 3_000 + i };
    const fromMs = cpuMsOf(pidOf(lab));
    const sentMs = sharedMs();
    await lab.api("PUT", path, { settings });
    const applied = await agents.applied(size);
    lasts.push(Math.max(...applied) - sentMs);
    cpuMs += cpuMsOf(pidOf(lab)) - fromMs;
  }
  bench.add({
    what: `${count(size)} agents: a change for all, from the request to the last map in effect`,
    ours: `${(percentile(lasts, 50) / 1000).toFixed(2)} s; ${(cpuMs / CHANGES_OF_ALL / 1000).toFixed(2)} s of CPU`,
    reach: size === 10_000 ? "<= 5 s" : "",
    figures: { agents: size, medianMs: percentile(lasts, 50), maxMs: Math.max(...lasts) },
  });
}

/** Management stops and starts again; agents come back by themselves, to what was changed meanwhile. */
async function restart(
  bench: Bench,
  lab: Lab,
  agents: Agents,
  { size, what, meanwhile }: { size: number; what: string; meanwhile?: () => Promise<void> },
): Promise<void> {
  await agents.ask({ do: "deltas" });
  await lab.management?.stop();
  await meanwhile?.();
  await lab.serveManagement();
  const startMs = sharedMs();
  await agents.ready(size);
  const tookMs = sharedMs() - startMs;
  const cpuMs = cpuMsOf(pidOf(lab));
  const said = await agents.ask({ do: "deltas" });
  const { maps, deltas, currents, attempts, handshakesPeak, syncLength } = said;
  const each = meanwhile === undefined ? "" : `, ${(syncLength / size).toFixed(0)} bytes each`;
  bench.add({
    what: `${count(size)} agents: ${what}, until all are back`,
    ours:
      `${(tookMs / 1000).toFixed(1)} s, ${(cpuMs / 1000).toFixed(1)} s of CPU; ` +
      `${count(maps)} whole maps, ${count(deltas)} deltas${each}, at most ${handshakesPeak} sign in at once`,
    figures: { agents: size, tookMs, cpuMs, maps, deltas, currents, attempts, handshakesPeak, syncLength },
  });
}

export interface Agents {
  ask(order: AgentsOrder): Promise<AgentsAnswer>;
  /** Waits until that many have a current map. */
  ready(count: number): Promise<void>;
  /** Waits for that many deltas; when each was applied. */
  applied(count: number): Promise<readonly number[]>;
  stop(): Promise<void>;
}

/** Starts their process; they connect when told to. */
export function startAgents(root: string, url: string, machines: readonly SeededMachine[]): Agents {
  const input = join(root, "machines.json");
  writeFileSync(input, JSON.stringify({ url, machines }), { mode: 0o600 });
  const command = [process.execPath, resolve(import.meta.dir, "agents-load.ts"), input];
  const child = Bun.spawn(command, { stdin: "pipe", stdout: "pipe", stderr: "inherit" });
  const answers = linesOf(child.stdout);
  const ask: Agents["ask"] = async (order) => {
    child.stdin.write(`${JSON.stringify(order)}\n`);
    await child.stdin.flush();
    const { value, done } = await answers.next();
    if (done === true) throw new Error("the process of agents is gone");
    return JSON.parse(value) as AgentsAnswer;
  };
  const waitFor = async (what: string, isThere: (counts: AgentsAnswer) => boolean, everyMs: number) => {
    const endMs = sharedMs() + READY_TIMEOUT_MS;
    for (;;) {
      const counts = await ask({ do: "counts" });
      if (isThere(counts)) return;
      if (sharedMs() > endMs) throw new Error(`${what}: ${JSON.stringify({ ...counts, appliedMs: [] })}`);
      await Bun.sleep(everyMs);
    }
  };
  return {
    ask,
    ready: (wanted) => waitFor(`not all of ${wanted} are there`, ({ ready }) => ready === wanted, 50),
    applied: async (wanted) => {
      const isThere = ({ deltas }: AgentsAnswer): boolean => deltas >= wanted;
      await waitFor(`not all of ${wanted} have it`, isThere, wanted === 1 ? 2 : 50);
      return (await ask({ do: "deltas" })).appliedMs;
    },
    async stop() {
      child.kill("SIGKILL");
      await child.exited;
    },
  };
}

async function* linesOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<string, undefined> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of stream) {
    text += decoder.decode(chunk, { stream: true });
    const lines = text.split("\n");
    text = lines.pop() ?? "";
    yield* lines;
  }
  return undefined;
}

function pidOf(lab: Lab): number {
  const pid = lab.management?.process.pid;
  if (pid === undefined) throw new Error("management does not run");
  return pid;
}

/** CPU time of all threads of a process so far. */
function cpuMsOf(pid: number): number {
  const [user = 0, system = 0] = readFileSync(`/proc/${pid}/stat`, "latin1")
    .replace(/^.*\) /, "")
    .split(" ")
    .slice(11, 13)
    .map(Number);
  const fine = readdirSync(`/proc/${pid}/task`).map((task) => {
    const text = readFileSync(`/proc/${pid}/task/${task}/schedstat`, "latin1");
    return Number(text.split(" ")[0]) / 1e6;
  });
  // Threads that have ended are in the coarser count only.
  return Math.max(
    (user + system) * 10,
    fine.reduce((sum, one) => sum + one, 0),
  );
}

function memoryOf(pid: number): { now: number; peak: number } {
  const text = readFileSync(`/proc/${pid}/status`, "latin1");
  const field = (name: string): number =>
    Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(text)?.[1]) * 1024;
  return { now: field("VmRSS"), peak: field("VmHWM") };
}

const count = (value: number): string => value.toLocaleString("en-US");
const mega = (bytes: number): string => (bytes / 1e6).toFixed(0);
