/**
 * The REST API on an account of 5,000 machines: lists that look at all of them, and what others wait
 * meanwhile.
 */
import { rmSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Lab } from "../support/lab.ts";
import { seedAccount } from "./agents-account.ts";
import { type Bench, ms, type Part, percentile, spread, spreadFigures } from "./figures.ts";

const MACHINES = 5_000;
const TIMES = 50;

interface ListedPeer {
  readonly id: string;
  readonly accessible_peers_count: number;
}

export const apiPart: Part = {
  name: "api",
  async run(bench) {
    const root = await mkdtemp(join(tmpdir(), "qf-bench-api-"));
    const lab = new Lab(bench.executable, root);
    try {
      await lab.initManagement();
      await seedAccount(lab.dataDir, lab.accountId, MACHINES);
      await lab.serveManagement();
      await measure(bench, lab);
    } finally {
      await lab[Symbol.asyncDispose]();
      rmSync(root, { recursive: true, force: true });
    }
  },
};

async function measure(bench: Bench, lab: Lab): Promise<void> {
  const peers = await lab.api<ListedPeer[]>("GET", "/api/peers");
  const widest = peers.reduce((one, other) =>
    other.accessible_peers_count > one.accessible_peers_count ? other : one,
  );
  if (widest.accessible_peers_count !== MACHINES) throw new Error("nobody reaches every machine");
  const path = `/api/peers/${widest.id}/accessible-peers`;
  const accessible = await timesOf(lab, path, MACHINES);
  bench.add({
    what: "`accessible-peers` of a device that reaches all of 5,000 machines",
    ours: spread(accessible),
    reach: "<= 50 ms",
    figures: { machines: MACHINES, ...spreadFigures(accessible) },
  });
  const paged = await timesOf(lab, "/api/peers?limit=100", 100);
  const whole = await timesOf(lab, "/api/peers", peers.length);
  bench.add({
    what: `the list of ${peers.length} peers: whole, and a page of 100`,
    ours: `${ms(percentile(whole, 50))}, ${ms(percentile(paged, 50))}`,
    figures: { peers: peers.length, wholeMs: percentile(whole, 50), pageMs: percentile(paged, 50) },
  });
  const meanwhile = await waitsBeside(lab, path);
  bench.add({
    what: "another request while `accessible-peers` is asked again and again",
    ours: spread(meanwhile),
    figures: spreadFigures(meanwhile),
  });
}

async function timesOf(lab: Lab, path: string, entries: number): Promise<number[]> {
  const samples: number[] = [];
  for (let i = 0; i < TIMES; i++) {
    const start = performance.now();
    const list = await lab.api<unknown[]>("GET", path);
    samples.push(performance.now() - start);
    if (list.length !== entries) throw new Error(`${path} told ${list.length} of ${entries}`);
  }
  return samples;
}

/** What a small request takes while one client asks for `path` without a pause. */
async function waitsBeside(lab: Lab, path: string): Promise<number[]> {
  let isOver = false;
  const busy = (async () => {
    while (!isOver) await lab.api("GET", path);
  })();
  const samples: number[] = [];
  for (let i = 0; i < TIMES; i++) {
    const start = performance.now();
    await lab.api("GET", "/api/users/current");
    samples.push(performance.now() - start);
  }
  isOver = true;
  await busy;
  return samples;
}
