/**
 * What an idle connection holds of memory at our agent, beside Debian's sshd: signed in and without a
 * session, and with one idle shell. The growth of the proportional set size of the server's whole process
 * tree, without pages of files, divided by the connections: what signing them in has left behind counts as
 * theirs.
 */
import { type Bench, kB, type Part } from "./figures.ts";
import type { IdleOrder } from "./idle-clients.ts";
import { type IdleLoad, startIdleLoad } from "./idle-load.ts";
import { privateBytes, settledBytes, settledWrittenBytes } from "./memory.ts";
import { type Field, openField } from "./openssh.ts";

/** Signed in, without a session: at our agent, at sshd. */
const QUIET = { ours: 1_000, theirs: 100 };
const SHELLS = { ours: 20, theirs: 20 };
const WARM_UP = 16;
const WIDTH = 8;
/** From its start: an agent gives back what it needed for that. */
const AGENT_SETTLE_MS = 45_000;
/** Garbage of the sign-ins goes, and what is kept for a first session. */
const SETTLE_MS = 15_000;

const MB = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;

type Wish = Omit<IdleOrder, "open" | "shell" | "width">;

export const idlePart: Part = {
  name: "idle",
  async run(bench) {
    await using field = await openField();
    const { pid } = await field.agent.status();
    await addAgentRow(bench, pid);
    const sshd = field.sshdServer;
    const { user } = field;
    const ours: Wish = { port: field.port, user, key: field.key, hasCertificate: true };
    const theirs: Wish = { port: sshd.port, user, key: sshd.key, hasCertificate: false };
    await using load = startIdleLoad();
    for (const shell of [false, true]) {
      const count = shell ? SHELLS : QUIET;
      const own = await bytesEach(field, load, pid, { ...ours, shell }, count.ours);
      const other = await bytesEach(field, load, sshd.pid, { ...theirs, shell }, count.theirs);
      addRow(bench, shell, own, other);
    }
  },
};

/** Beside management, which is the same executable: what both have of its pages is half each one's. */
async function addAgentRow(bench: Bench, pid: number): Promise<void> {
  await Bun.sleep(AGENT_SETTLE_MS);
  const bytes = await settledBytes(pid, SETTLE_MS);
  const own = privateBytes(pid);
  bench.add({
    what: "memory of an agent with nothing to do, beside management on the same machine",
    ours: `${MB(bytes)}, ${MB(own)} of it nobody else's and in no file`,
    reach: "<= 45 MB",
    figures: { bytes, privateBytes: own },
  });
}

async function bytesEach(
  field: Field,
  load: IdleLoad,
  pid: number,
  wish: Omit<IdleOrder, "open" | "width">,
  count: number,
): Promise<number> {
  await field.renew();
  await load.open({ ...wish, open: WARM_UP, width: WIDTH });
  await load.closeAll();
  const before = await settledWrittenBytes(pid, SETTLE_MS);
  await field.renew();
  await load.open({ ...wish, open: count, width: WIDTH });
  const after = await settledWrittenBytes(pid, SETTLE_MS);
  const { open } = await load.count();
  if (open !== count) throw new Error(`${count - open} idle connections were lost`);
  await load.closeAll();
  return (after - before) / count;
}

function addRow(bench: Bench, shell: boolean, own: number, other: number): void {
  bench.add({
    what: shell
      ? "memory of a connection with one idle shell on a terminal, the shell included"
      : "memory of an idle connection, signed in, without a session",
    ours: kB(own),
    against: `sshd ${kB(other)}`,
    ratio: `1/${(other / own).toFixed(1)}`,
    reach: shell ? "" : "<= 1/20",
    figures: { oursBytes: own, sshdBytes: other, ratio: own / other },
  });
}
