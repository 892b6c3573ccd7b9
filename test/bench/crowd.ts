/**
 * 2,000 idle connections and 50 active ones at one agent: none of either may be lost. The active ones are
 * stock ssh(1), begun at once, each of which sends lines and reads them back all the time.
 */
import { type Part, percentile, spreadFigures } from "./figures.ts";
import { type IdleLoad, startIdleLoad } from "./idle-load.ts";
import { type Field, openField, type Way } from "./openssh.ts";

const IDLE = 2_000;
const IDLE_BATCH = 500;
const WIDTH = 16;
const ACTIVE = 50;
const LINES_PER_SECOND = 10;
const SECONDS = 20;
const SETTLE_SECONDS = 5;
const LINE_BYTES = 1_000;

export const crowdPart: Part = {
  name: "crowd",
  async run({ add }) {
    await using field = await openField();
    await using load = startIdleLoad();
    await openIdle(field, load);
    await field.renew();
    const talks = await Promise.all(Array.from({ length: ACTIVE }, () => talk(field.direct)));
    const { open, lost } = await load.count();
    const waitsMs = talks.flatMap(({ waitsMs: waits }) => waits);
    const broken = talks.filter(({ isWhole }) => !isWhole).length;
    add({
      what: `${IDLE.toLocaleString("en")} idle and ${ACTIVE} active connections, ${SECONDS} s`,
      ours: `${IDLE - open + broken} lost; a line and back p50 ${percentile(waitsMs, 50).toFixed(1)}, p99 ${percentile(waitsMs, 99).toFixed(1)} ms`,
      reach: "none lost",
      figures: { idleLost: Math.max(lost, IDLE - open), activeLost: broken, ...spreadFigures(waitsMs) },
    });
  },
};

/** In batches: a certificate is good for two minutes. */
async function openIdle(field: Field, load: IdleLoad): Promise<void> {
  const order = { port: field.port, user: field.user, key: field.key, hasCertificate: true, shell: false };
  for (let opened = 0; opened < IDLE; opened += IDLE_BATCH) {
    await field.renew();
    await load.open({ ...order, open: IDLE_BATCH, width: WIDTH });
  }
}

interface Talk {
  readonly waitsMs: readonly number[];
  /** Every line came back as it was sent, and the connection ended as it should. */
  readonly isWhole: boolean;
}

async function talk(way: Way): Promise<Talk> {
  const child = Bun.spawn(["ssh", ...way.ssh, way.destination, "cat"], {
    env: way.env,
    stdin: "pipe",
    stdout: "pipe",
    stderr: "ignore",
  });
  const reader = child.stdout.getReader();
  const waitsMs: number[] = [];
  let isWhole = true;
  for (let i = 0; isWhole && i < LINES_PER_SECOND * SECONDS; i++) {
    const line = `${i} ${"x".repeat(LINE_BYTES)}\n`;
    const startMs = performance.now();
    child.stdin.write(line);
    await child.stdin.flush();
    isWhole = (await readText(reader, line.length)) === line;
    const spentMs = performance.now() - startMs;
    // The first wait is for the connection itself, and the next ones are beside others that sign in.
    if (i >= LINES_PER_SECOND * SETTLE_SECONDS) waitsMs.push(spentMs);
    await Bun.sleep(Math.max(0, 1000 / LINES_PER_SECOND - spentMs));
  }
  child.stdin.end();
  return { waitsMs, isWhole: (await child.exited) === 0 && isWhole };
}

async function readText(
  reader: Pick<ReadableStreamDefaultReader<Uint8Array>, "read">,
  length: number,
): Promise<string> {
  let text = "";
  while (text.length < length) {
    const { value, done } = await reader.read();
    if (done || value === undefined) break;
    text += Buffer.from(value).toString("latin1");
  }
  return text;
}
