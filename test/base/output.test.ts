import { expect, test } from "bun:test";
import { join } from "node:path";

const OUTPUT = join(import.meta.dir, "../../src/base/output.ts");
const BYTES = 3_000_000;

function start(body: string) {
  const script = `import { openOutput } from ${JSON.stringify(OUTPUT)}; ${body}`;
  return Bun.spawn([process.execPath, "-e", script], { stdout: "pipe", stderr: "pipe" });
}

test("no byte is lost when the process exits right after the last write is done", async () => {
  const child = start(`
    const out = openOutput(1);
    out.write(Buffer.alloc(${BYTES}, "x"));
    out.end("end", () => process.exit(0));`);
  const text = await new Response(child.stdout).text();
  expect(text.length).toBe(BYTES + 3);
  expect(text.endsWith("xend")).toBe(true);
});

test("descriptor 2 is stderr", async () => {
  const child = start(`openOutput(2).end("said");`);
  expect(await new Response(child.stderr).text()).toBe("said");
  expect(await new Response(child.stdout).text()).toBe("");
});

test("a reader that has gone is EPIPE, and does not end the process by itself", async () => {
  const child = start(`
    const out = openOutput(1);
    out.on("error", (error) => { process.stderr.write(error.code); process.exit(3); });
    setInterval(() => out.write(Buffer.alloc(65536)), 1);`);
  await child.stdout.cancel();
  expect(await new Response(child.stderr).text()).toBe("EPIPE");
  expect(await child.exited).toBe(3);
});
