/**
 * `qf ssh` as a load: one process that stays and runs its command once for each message, as a new
 * connection with a certificate of its own. Arguments are those of `qf ssh`.
 */
import { runSsh } from "../../src/ssh/run.ts";

/** To it: run one. */
export interface Begin {
  readonly id: number;
}

/** From it: one has ended. `failure` is empty when its status was 0. */
export interface Ended {
  readonly id: number;
  readonly ms: number;
  readonly failure: string;
}

if (import.meta.main) {
  process.on("message", ({ id }: Begin) => {
    void runOne().then((ended) => process.send?.({ id, ...ended } satisfies Ended));
  });
}

async function runOne(): Promise<Omit<Ended, "id">> {
  const startMs = performance.now();
  const outcome = await runSsh(["-n", ...process.argv.slice(2)]).catch((error: unknown) => String(error));
  return { ms: performance.now() - startMs, failure: outcome === 0 ? "" : String(outcome) };
}
