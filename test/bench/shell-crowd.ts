/**
 * A bastion: 1,000 connections with an idle shell each on one agent. What they hold of memory, how many
 * processes they are, how long it takes to open them all, and to revoke them all.
 */
import { setPolicy } from "./changes.ts";
import { kB, type Part } from "./figures.ts";
import { type IdleLoad, startIdleLoad } from "./idle-load.ts";
import { processTree, settledBytes } from "./memory.ts";
import { type Field, openField } from "./openssh.ts";
import { processorMs } from "./session-cost.ts";

const SHELLS = Number(process.env.SHELLS ?? 1_000);
const BATCH = 100;
const WIDTH = 16;
const SETTLE_MS = 10_000;
const POLL_MS = 20;
const REVOKED_WITHIN_MS = 120_000;

const seconds = (spentMs: number): string => `${(spentMs / 1_000).toFixed(2)} s`;

export const shellCrowdPart: Part = {
  name: "shells",
  async run({ add }) {
    await using field = await openField();
    const { pid } = await field.agent.status();
    await using load = startIdleLoad();
    await open(field, load, WIDTH);
    await load.closeAll();
    const before = await settledBytes(pid, SETTLE_MS);
    const idle = processTree(pid).length;
    const spentBeforeMs = processorMs(pid);
    const startMs = performance.now();
    await open(field, load, SHELLS);
    const openedMs = performance.now() - startMs;
    const processor = processorMs(pid) - spentBeforeMs;
    const bytes = ((await settledBytes(pid, SETTLE_MS)) - before) / SHELLS;
    const processes = (processTree(pid).length - idle) / SHELLS;
    const { open: count } = await load.count();
    const revokedMs = await revokeAll(field, pid, idle);
    add({
      what: `${SHELLS.toLocaleString("en")} connections with an idle shell each on one agent`,
      ours: [
        `${kB(bytes)} and ${processes.toFixed(2)} processes each, the shell included`,
        `opened in ${seconds(openedMs)} (${seconds(processor)} of processor time)`,
        `all revoked and gone in ${seconds(revokedMs)}`,
        `${SHELLS - count} lost`,
      ].join("; "),
      figures: {
        bytesEach: bytes,
        processesEach: processes,
        openedMs,
        openedProcessorMs: processor,
        revokedMs,
        lost: SHELLS - count,
      },
    });
  },
};

/** In batches: a certificate is good for two minutes. */
async function open(field: Field, load: IdleLoad, count: number): Promise<void> {
  const order = { port: field.port, user: field.user, key: field.key, hasCertificate: true, shell: true };
  for (let opened = 0; opened < count; opened += BATCH) {
    await field.renew();
    await load.open({ ...order, open: Math.min(BATCH, count - opened), width: WIDTH });
  }
}

/** Until the last process of the last of them is gone. */
async function revokeAll(field: Field, pid: number, idle: number): Promise<number> {
  const startMs = performance.now();
  await setPolicy(field, false);
  while (processTree(pid).length > idle) {
    if (performance.now() - startMs > REVOKED_WITHIN_MS) throw new Error("something was not revoked");
    await Bun.sleep(POLL_MS);
  }
  return performance.now() - startMs;
}
