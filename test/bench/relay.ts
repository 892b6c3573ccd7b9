/**
 * The relay beside the direct path, on loopback: bytes a second by `qf ssh` and by stock ssh(1) through
 * `qf proxy`, a line there and back; and what management holds for an agent that is connected and does
 * nothing.
 */
import { resolve } from "node:path";
import { type Lab, openLab } from "../support/lab.ts";
import { type Bench, kB, MBps, median, ms, type Part, percentile, running, timeInTurn } from "./figures.ts";
import { settledBytes } from "./memory.ts";
import { type Field, openField, zeros } from "./openssh.ts";

const RUNS = 5;
const BYTES = 1_000_000_000;
const LINES = 500;
const IDLE_AGENTS = 1_000;
const SETTLE_MS = 15_000;

export const relayPart: Part = {
  name: "relay",
  async run(bench) {
    await using field = await openField([], ["--relay-listen", "127.0.0.1:0"]);
    await field.lab.startAgent("hidden1", { groups: [field.servers], args: ["--listen", "none"] });
    await benchStreams(bench, field);
    await benchLatency(bench, field);
  },
};

export const relayIdlePart: Part = {
  name: "relay-idle",
  async run(bench) {
    await using lab = await openLab({ serveArgs: ["--behind-proxy"] });
    await benchIdle(bench, lab);
  },
};

const through = ({ user }: Field, host: string): string => `${user}@${host}.qf.internal`;

async function benchStreams(bench: Bench, field: Field): Promise<void> {
  const { lab, device, proxy, folder } = field;
  const file = zeros(`${folder}/upload`, BYTES);
  const clients = [
    { name: "`qf ssh`", command: [lab.executable, "ssh"], env: lab.env(device.env()) },
    { name: "ssh through `qf proxy`", command: ["ssh", ...proxy.ssh], env: proxy.env },
  ];
  for (const { name, command, env } of clients) {
    const down = (host: string) =>
      running([...command, through(field, host), `head -c ${BYTES} /dev/zero`], env);
    const up = (host: string) => {
      const words = [...command, through(field, host), "cat > /dev/null"];
      return running(["sh", "-c", `exec "$@" < ${file}`, "sh", ...words], env);
    };
    for (const [what, act] of [
      ["download", down],
      ["upload", up],
    ] as const) {
      const [relayed = 0, direct = 0] = await timeInTurn(RUNS, act("hidden1"), act("web1"));
      bench.add({
        what: `${what} of 1 GB through the relay, ${name}`,
        ours: `${MBps(BYTES, relayed).toFixed(0)} MB/s`,
        against: `direct ${MBps(BYTES, direct).toFixed(0)} MB/s`,
        ratio: `${(direct / relayed).toFixed(2)} x`,
        reach: ">= 0.7 x",
        figures: { relayedMs: relayed, directMs: direct, ratio: direct / relayed },
      });
    }
  }
}

async function benchLatency(bench: Bench, field: Field): Promise<void> {
  const relayed: number[] = [];
  const direct: number[] = [];
  for (let run = 0; run < RUNS; run++) {
    relayed.push(...(await lineTimes(field, "hidden1")));
    direct.push(...(await lineTimes(field, "web1")));
  }
  const added = median(relayed) - median(direct);
  bench.add({
    what: "a line there and back through the relay",
    ours: `${ms(median(relayed))} (p99 ${ms(percentile(relayed, 99))})`,
    against: `direct ${ms(median(direct))} (p99 ${ms(percentile(direct, 99))})`,
    ratio: `+ ${added.toFixed(2)} ms`,
    reach: "<= 2 ms added",
    figures: { relayedMs: median(relayed), directMs: median(direct), addedMs: added },
  });
}

/** Milliseconds of each line that `cat` sends back. */
async function lineTimes(field: Field, host: string): Promise<number[]> {
  const command = ["ssh", ...field.proxy.ssh, through(field, host), "cat"];
  const child = Bun.spawn(command, {
    env: field.proxy.env,
    stdin: "pipe",
    stdout: "pipe",
    stderr: "inherit",
  });
  const reader = child.stdout.getReader();
  const times: number[] = [];
  for (let i = 0; i <= LINES; i++) {
    const startMs = performance.now();
    child.stdin.write("x\n");
    await child.stdin.flush();
    if ((await reader.read()).done) throw new Error(`${host}: the connection ended`);
    if (i > 0) times.push(performance.now() - startMs);
  }
  child.stdin.end();
  await child.exited;
  return times;
}

async function benchIdle(bench: Bench, lab: Lab): Promise<void> {
  const key = await lab.createSetupKey([await lab.createGroup("Idle")]);
  const script = resolve(import.meta.dir, "idle-agents.ts");
  const command = [process.execPath, script, lab.url, key, String(IDLE_AGENTS)];
  const child = Bun.spawn(command, { stdin: "pipe", stdout: "pipe", stderr: "inherit" });
  try {
    const lines = linesOf(child.stdout);
    await lines.next();
    const management = lab.management?.process.pid ?? 0;
    const held = [await settledBytes(management, SETTLE_MS)];
    for (const link of ["relay", "control"]) {
      child.stdin.write(`${link}\n`);
      await child.stdin.flush();
      const { value } = await lines.next();
      if (value !== `${link} ${IDLE_AGENTS}`) throw new Error(`of ${IDLE_AGENTS} agents: ${value}`);
      held.push(await settledBytes(management, SETTLE_MS));
    }
    const [before = 0, relay = 0, both = 0] = held;
    addIdle(bench, (both - relay) / IDLE_AGENTS, (relay - before) / IDLE_AGENTS);
  } finally {
    child.kill("SIGKILL");
    await child.exited;
  }
}

function addIdle(bench: Bench, controlBytes: number, relayBytes: number): void {
  const row = (link: string, bytes: number, reach: string) =>
    bench.add({
      what: `memory of management for the ${link} link of an idle agent, of ${IDLE_AGENTS.toLocaleString("en")}`,
      ours: kB(bytes),
      reach,
      figures: { bytesEach: bytes },
    });
  row("relay", relayBytes, "<= 30 kB");
  row("control", controlBytes, "<= 150 kB");
}

async function* linesOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of stream) {
    text += decoder.decode(chunk, { stream: true });
    for (let end = text.indexOf("\n"); end !== -1; end = text.indexOf("\n")) {
      yield text.slice(0, end);
      text = text.slice(end + 1);
    }
  }
}
