/**
 * An approval: a person waits at a terminal, another runs `qf access approve`, and the command that was asked
 * for runs.
 */
import { type Lab, type LabDevice, openLab } from "../support/lab.ts";
import type { LabTerminal } from "../support/lab-terminal.ts";
import { isRoot, OsAccount, ownName } from "../support/os-accounts.ts";
import { type Bench, ms, type Part, percentile, spread, spreadFigures } from "./figures.ts";

const RUNS = 10;
const PATIENCE_MS = 60_000;

interface People {
  readonly lab: Lab;
  readonly asks: LabDevice;
  readonly approves: LabDevice;
  readonly destination: string;
}

interface RoundTrip {
  /** From the approver's command to the line that tells the waiting person, and to their command's output. */
  readonly heardMs: number;
  readonly ranMs: number;
}

export const approvalPart: Part = {
  name: "approval",
  async run(bench) {
    const account = isRoot ? new OsAccount("bench", ["--shell", "/bin/sh"]) : null;
    try {
      await using lab = await openLab();
      const people = await openPeople(lab, account?.name ?? ownName());
      const trips: RoundTrip[] = [];
      for (let run = 0; run < RUNS; run++) trips.push(await roundTrip(people));
      addRow(bench, trips);
    } finally {
      account?.[Symbol.dispose]();
    }
  },
};

async function openPeople(lab: Lab, user: string): Promise<People> {
  const devs = await lab.createGroup("Developers");
  const leads = await lab.createGroup("Leads");
  const servers = await lab.createGroup("Servers");
  const ada = await lab.createPerson("ada@example.com", [devs]);
  const bob = await lab.createPerson("bob@example.com", [leads]);
  await lab.createPolicy("devs", [devs], [servers], {
    authorized_groups: { [devs]: [user] },
    ssh: { require_approval: true },
    approver_groups: [leads],
  });
  await lab.startAgent("web1", { groups: [servers] });
  const asks = lab.device(ada, "ada");
  const approves = lab.device(bob, "bob");
  await Promise.all([asks.login(), approves.login()]);
  return { lab, asks, approves, destination: `${user}@web1` };
}

async function roundTrip({ lab, asks, approves, destination }: People): Promise<RoundTrip> {
  const terminal = asks.terminal(["ssh", destination, "expr 40 + 2"]);
  await terminal.expect(/needs an approval/, PATIENCE_MS);
  const id = await lab.until("a request that waits", async () => {
    const { stdout } = await approves.qf(["access", "list", "--decide", "--json"]);
    return (JSON.parse(stdout) as { id: string }[])[0]?.id;
  });
  const startMs = performance.now();
  const approved = approves.qf(["access", "approve", id, "--for", "10m", "--yes"]);
  const heardMs = (await shownAt(terminal, /approved by \S+, until/)) - startMs;
  const ranMs = (await shownAt(terminal, /^42\s*$/m)) - startMs;
  const { exitCode, stderr } = await approved;
  if (exitCode !== 0 || (await terminal.end(PATIENCE_MS)) !== 0) throw new Error(`not approved: ${stderr}`);
  await approves.qf(["access", "end", id]);
  return { heardMs, ranMs };
}

/** When the terminal has shown `pattern`, to a millisecond or so. */
async function shownAt(terminal: LabTerminal, pattern: RegExp): Promise<number> {
  const endMs = performance.now() + PATIENCE_MS;
  while (!pattern.test(terminal.text)) {
    if (performance.now() > endMs) throw new Error(`waited in vain for ${pattern} in:\n${terminal.text}`);
    await Bun.sleep(1);
  }
  return performance.now();
}

function addRow(bench: Bench, trips: readonly RoundTrip[]): void {
  const heard = trips.map(({ heardMs }) => heardMs);
  const ran = trips.map(({ ranMs }) => ranMs);
  bench.add({
    what: "an approval, from the approver's command to the person who waits for it",
    ours: `${spread(heard)}; their command has run after ${ms(percentile(ran, 50))}`,
    reach: "<= 1,000 ms",
    figures: { ...spreadFigures(heard), ranMs: percentile(ran, 50) },
  });
}
