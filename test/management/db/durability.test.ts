import { expect, test } from "bun:test";
import { join } from "node:path";
import { silentLog } from "../../../src/base/log.ts";
import { openStore } from "../../../src/management/db/store.ts";
import { listEvents } from "../../../src/management/db/tables/audit-events.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { tempFolder } from "../../support/temp-folder.ts";

const WRITER = join(import.meta.dir, "../../support/store-writer.ts");

/** Reads lines until `count` have come, then kills the writer in the middle of what it does. */
async function acknowledgedBeforeKill(dataDir: string, count: number): Promise<number> {
  const writer = Bun.spawn([process.execPath, WRITER, dataDir], { stdout: "pipe", stderr: "inherit" });
  let last = 0;
  let rest = "";
  for await (const chunk of writer.stdout) {
    const lines = (rest + new TextDecoder().decode(chunk)).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) last = Number(line);
    if (last >= count && !writer.killed) writer.kill("SIGKILL");
  }
  await writer.exited;
  return last;
}

test("kill -9 of a writer loses nothing that was acknowledged", async () => {
  const dataDir = tempFolder();
  for (const round of [1, 2, 3]) {
    const acknowledged = await acknowledgedBeforeKill(dataDir, round * 40);
    expect(acknowledged).toBeGreaterThanOrEqual(round * 40);
    const store = openStore({ dataDir, clock: new FakeClock(), log: silentLog, create: false });
    const events = await store.read((tx) => listEvents(tx, "acc", { limit: 1000, afterSeq: 0 }));
    await store.close();
    expect(events.length).toBeGreaterThanOrEqual(acknowledged);
    expect(events.map((event) => event.seq)).toEqual(events.map((_, i) => i + 1));
  }
});
