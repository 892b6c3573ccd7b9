/**
 * Our SFTP server beside Debian's, without SSH: `bun test/bench/sftp-server.ts`, median seconds and ratios.
 *
 * Both are started by `sftp -D`, on a memory file system where there is one, in turn, so that what
 * disturbs one disturbs the other. Ours is compiled as `qf` is, and runs without the third compiler, as
 * the agent starts it. Above 1 is faster than Debian's.
 */
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { OPENSSH_SERVER } from "../support/sftp.ts";

const RUNS = 7;
const BIG_BYTES = 1_000_000_000;
const SMALL_FILES = 5_000;

const folder = mkdtempSync(join(existsSync("/dev/shm") ? "/dev/shm" : tmpdir(), "qf-bench-sftp-"));

function compileOurs(): string {
  const program = join(folder, "server");
  const source = resolve(import.meta.dir, "../support/sftp-main.ts");
  const command = [process.execPath, "build", "--compile", "--minify", "--bytecode", "--format=esm", source];
  const built = Bun.spawnSync([...command, "--outfile", program], { stdout: "ignore", stderr: "pipe" });
  if (!built.success) throw new Error(built.stderr.toString());
  return `/usr/bin/env BUN_JSC_useFTLJIT=0 ${program}`;
}

function prepare(): void {
  writeFileSync(join(folder, "big"), Buffer.alloc(BIG_BYTES, "0123456789abcdef_"));
  mkdirSync(join(folder, "small"));
  for (let index = 0; index < SMALL_FILES; index++) {
    writeFileSync(join(folder, "small", `file-${index}`), Buffer.alloc(1000 + (index % 7000), index));
  }
}

async function secondsOf(server: string, command: string): Promise<number> {
  rmSync(join(folder, "out"), { recursive: true, force: true });
  mkdirSync(join(folder, "out"));
  const start = performance.now();
  const child = Bun.spawn(["sftp", "-q", "-D", server, "-b", "-"], {
    cwd: folder,
    stdin: Buffer.from(`${command}\n`),
    stdout: "ignore",
    stderr: "inherit",
  });
  if ((await child.exited) !== 0) throw new Error(`${command}: failed`);
  return (performance.now() - start) / 1000;
}

function median(samples: readonly number[]): number {
  return [...samples].sort((a, b) => a - b)[Math.floor(samples.length / 2)] ?? Number.NaN;
}

try {
  const ours = compileOurs();
  prepare();
  for (const [what, command] of [
    ["put 1 GB", "put big out/big"],
    ["get 1 GB", "get big out/big"],
    ["put 5,000 files", "put -r small out/"],
    ["get 5,000 files", "get -r small out/"],
    ["list 5,000 files", "ls -l small"],
  ] as const) {
    const [mine, theirs]: [number[], number[]] = [[], []];
    for (let run = 0; run < RUNS; run++) {
      mine.push(await secondsOf(ours, command));
      theirs.push(await secondsOf(OPENSSH_SERVER, command));
    }
    const [own, other] = [median(mine), median(theirs)];
    const figures = [
      `ours ${own.toFixed(3)} s`,
      `Debian's ${other.toFixed(3)} s`,
      `ratio ${(other / own).toFixed(2)}`,
    ];
    console.log([what.padEnd(18), ...figures].join("   "));
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
