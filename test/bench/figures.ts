/** What a part of `make bench` is, and what it says: rows of one table, drawn from many samples. */

/** One line of the table. */
export interface Row {
  readonly what: string;
  readonly ours: string;
  readonly against?: string;
  readonly ratio?: string;
  readonly reach?: string;
  /** The same for programs: numbers under names that carry their unit. */
  readonly figures: Readonly<Record<string, number>>;
}

export interface Bench {
  /** The compiled `qf`. */
  readonly executable: string;
  add(row: Row): void;
  /** Said beside the table: a histogram, a breakdown. */
  note(text: string): void;
}

export interface Part {
  readonly name: string;
  run(bench: Bench): Promise<void>;
}

export function median(samples: readonly number[]): number {
  return percentile(samples, 50);
}

/** The smallest sample that at least `percent` of all do not exceed. NaN without samples. */
export function percentile(samples: readonly number[], percent: number): number {
  const sorted = [...samples].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil((sorted.length * percent) / 100) - 1)] ?? Number.NaN;
}

export const ms = (value: number): string => `${value.toFixed(1)} ms`;
export const kB = (bytes: number): string => `${(bytes / 1000).toFixed(1)} kB`;
export const MBps = (bytes: number, spentMs: number): number => bytes / 1e6 / (spentMs / 1e3);

/** "p50 1.0, p90 2.0, p99 3.0 ms" */
export function spread(samplesMs: readonly number[]): string {
  const at = (percent: number): string => percentile(samplesMs, percent).toFixed(1);
  return `p50 ${at(50)}, p90 ${at(90)}, p99 ${at(99)} ms`;
}

/** The figures of `spread`, for programs. */
export function spreadFigures(samplesMs: readonly number[]): Record<string, number> {
  return {
    samples: samplesMs.length,
    p50Ms: percentile(samplesMs, 50),
    p90Ms: percentile(samplesMs, 90),
    p99Ms: percentile(samplesMs, 99),
    maxMs: Math.max(...samplesMs),
  };
}

const BARS = 12;
const BAR_WIDTH = 50;

/** Bars of how often what was measured fell where; each step ends higher than the last by the same factor. */
export function histogram(title: string, samplesMs: readonly number[]): string {
  const low = Math.max(0.01, Math.min(...samplesMs));
  const high = Math.max(low * 1.001, ...samplesMs);
  const step = (high / low) ** (1 / BARS);
  const counts = new Array<number>(BARS).fill(0);
  for (const sample of samplesMs) {
    const at = Math.log(Math.max(low, sample) / low) / Math.log(step);
    const bar = Math.min(BARS - 1, Math.floor(at));
    counts[bar] = (counts[bar] ?? 0) + 1;
  }
  const most = Math.max(...counts);
  const lines = counts.map((count, i) => {
    const upTo = (low * step ** (i + 1)).toFixed(1).padStart(9);
    return `${upTo} ms | ${"#".repeat(Math.ceil((count / most) * BAR_WIDTH)).padEnd(BAR_WIDTH)} ${count}`;
  });
  return [`${title} (${samplesMs.length} samples): ${spread(samplesMs)}`, ...lines].join("\n");
}

/** Runs the commands in turn, so that what disturbs one disturbs the other. Milliseconds of each. */
export async function samplesInTurn(
  runs: number,
  ...commands: readonly (() => Promise<void>)[]
): Promise<number[][]> {
  const samples = commands.map((): number[] => []);
  for (let run = 0; run < runs + 2; run++) {
    for (const [i, command] of commands.entries()) {
      const spentMs = await timed(command);
      if (run >= 2) samples[i]?.push(spentMs);
    }
  }
  return samples;
}

/** Median milliseconds of each of the commands, run in turn. */
export async function timeInTurn(runs: number, ...commands: (() => Promise<void>)[]): Promise<number[]> {
  return (await samplesInTurn(runs, ...commands)).map(median);
}

export async function timed(act: () => Promise<unknown>): Promise<number> {
  const startMs = performance.now();
  await act();
  return performance.now() - startMs;
}

/** A command that has to succeed. */
export function running(command: readonly string[], env: Record<string, string>): () => Promise<void> {
  return async () => {
    const child = Bun.spawn([...command], { env, stdin: "ignore", stdout: "ignore", stderr: "pipe" });
    if ((await child.exited) !== 0)
      throw new Error(`${command.join(" ")}: ${await new Response(child.stderr).text()}`);
  };
}
